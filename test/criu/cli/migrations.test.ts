import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, events, main, nodeCriu } from '../../helpers/command.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { serve } from '../../helpers/serve-command.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('migrations lists what is in flight; --log-format json logs it; --max-bandwidth holds', async () => {
  const directory = await temporaryDirectory();
  const [here, listed] = [join(directory, 'here'), join(directory, 'listed')];
  const serving = await serve(
    ...['127.0.0.1:0', '-D', join(directory, 'there'), '--insecure', '--criu', criuPath()],
    ...['--log-format', 'json', '--max-bandwidth', '8MiB', '--metrics', '0'],
  );
  const place = `127.0.0.1:${serving.port}`;
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 500 });
  const migrated = await nodeCriu([
    ...['migrate', String(memory.pid), place, '--insecure', '-D', here, '--criu', criuPath()],
    ...['--mode', 'stop-and-copy', '--log-format', 'json'],
    ...['--switch-over', `'${process.execPath}' '${main}' migrations -D '${here}' > '${listed}'`],
  ]);
  expect(migrated, `${migrated.stderr}\n${serving.stderr()}`).toMatchObject({ exitCode: 0 });
  await waitGone(memory.pid);
  await memory.writesOn();

  const logged = events(migrated.stderr);
  for (const record of logged) {
    expect(record).toMatchObject({ time: expect.any(String), level: 'info', peer: place });
  }
  const result = logged.at(-1) as { id: string; downtimeMs: number };
  const { id, downtimeMs } = result;
  expect(result).toMatchObject({ event: 'result', bytes: expect.any(Number), pid: memory.pid });
  expect(logged.map(({ event }) => event)).toContain('hand-over');
  // 16 MiB at 8 MiB per second.
  expect(downtimeMs).toBeGreaterThan(1500);

  const [titles, row, ...others] = (await readFile(listed, 'utf8')).trimEnd().split('\n');
  expect(titles).toMatch(/^ID +ROLE +STATUS +STATE +SINCE +PID +BYTES +PEER +AGENT$/);
  expect(row).toMatch(
    new RegExp(
      `^${id} +source +in-flight +offered +\\d{4}-\\S+Z +${memory.pid} +\\S+ MiB +${place} +\\d+$`,
    ),
  );
  expect(others).toEqual([]);
  const after = await nodeCriu(['migrations', '-D', here, '--json']);
  expect(events(after.stdout)).toEqual([{ event: 'result', migrations: [] }]);

  const served = events(serving.stderr());
  expect(served.map(({ event }) => event)).toEqual([
    ...[
      'listening',
      'message',
      'offered',
      'receiving',
      'prepared',
      'resuming',
      'resumed',
      'complete',
    ],
  ]);
  const metrics = { host: '127.0.0.1', port: expect.any(Number) };
  expect(served[0]).toMatchObject({ level: 'info', metrics });
  const ofThis = { id, peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) };
  for (const record of served.slice(2)) expect(record).toMatchObject(ofThis);
  expect(served.at(-1)?.bytes).toBeGreaterThan(16 << 20);
});

test('with --log-format json an error is a record, too', async () => {
  const there = ['127.0.0.1:0', '-D', '/proc/nothing', '--insecure'];
  const { exitCode, stderr } = await nodeCriu(['serve', ...there, '--log-format', 'json']);
  expect(exitCode).not.toBe(0);
  expect(events(stderr)).toEqual([
    expect.objectContaining({ level: 'error', event: 'error', code: expect.stringMatching(/^E/) }),
  ]);

  const source = ['-D', await temporaryDirectory(), '--insecure', '--log-format', 'json'];
  const migrated = await nodeCriu(['migrate', String(process.pid), '[::1]:1', ...source]);
  expect(events(migrated.stderr)[0]).toMatchObject({ event: 'offer', peer: '[::1]:1' });
});
