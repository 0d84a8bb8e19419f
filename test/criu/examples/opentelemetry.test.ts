import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runExample } from '../../helpers/example.ts';
import { startCounter, temporaryDirectory } from '../../helpers/workload.ts';

test('operations and steps become spans of OpenTelemetry', async () => {
  const counter = await startCounter();
  const images = join(await temporaryDirectory(), 'images');
  const output = await runExample('opentelemetry.js', [counter.pid, images]);
  expect(output).toContain("name: 'criu.dump'");
  expect(output).toContain(`attributes: { operation: 'dump', pid: ${counter.pid} }`);
  expect(output).toContain("name: 'criu step post-dump'");
  await counter.countsOn();
});
