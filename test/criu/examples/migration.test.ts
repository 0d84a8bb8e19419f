import { expect, test } from 'vitest';
import { startExample } from '../../helpers/example.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { bootedAnew } from '../../helpers/migration-host.ts';
import { freePort } from '../../helpers/serve-command.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

test('a process moves from the source to the destination', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 500 });
  const port = await freePort();
  const place = ['127.0.0.1', port];
  const destination = await startExample(
    'migration-destination.js',
    [...place, await temporaryDirectory()],
    { through: await bootedAnew() },
  );
  await destination.prints(/listening on/);
  const args = [memory.pid, ...place, await temporaryDirectory()];
  const source = await startExample('migration-source.js', args);
  const { code, output } = await source.ended;
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain('neither copy runs: move the address now');
  expect(output).toMatch(/process \d+ runs there; nothing ran for \d+ ms/);
  await destination.prints(/memory comes from 127\.0\.0\.1/);
  await waitGone(memory.pid);
  await memory.writesOn();
});
