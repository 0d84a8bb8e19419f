import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { migrate } from '../../../src/index.ts';
import { buildCommand, events, nodeCriu } from '../../helpers/command.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { serve } from '../../helpers/serve-command.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('resolve exits with 4 while the outcome is unknown, and finishes the migration later', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 500 });
  const [directory, there] = [await temporaryDirectory(), await temporaryDirectory()];
  const first = await serve('127.0.0.1:0', '-D', there, '--insecure');
  const migration = migrate(memory.pid, {
    ...{ to: { host: '127.0.0.1', port: first.port }, insecure: true, path: criuPath() },
    ...{ mode: 'stop-and-copy', directory, stallMs: 3000 },
    // Silent first: a connection that ends before the hand-over is an earlier failure.
    hooks: { phase: (phase) => void (phase === 'hand-over' && first.signal('SIGSTOP')) },
  });
  expect(await failureOf(migration.result)).toMatchObject({ workload: 'stopped' });
  await first.kill();

  expect(await nodeCriu(['resolve', '-D', directory])).toEqual({
    ...{ exitCode: 0, stdout: migration.id, stderr: '' },
  });
  const args = ['resolve', migration.id, '-D', directory, '--insecure'];
  const early = await nodeCriu([...args, '--deadline', '500ms']);
  expect(early).toMatchObject({ exitCode: 4 });
  expect(early.stdout).toMatch(/^owner: undecided$/m);
  const json = await nodeCriu([...args, '--deadline', '500ms', '--json']);
  expect(json).toMatchObject({ exitCode: 4, stderr: '' });
  expect(events(json.stdout)).toMatchObject([{ event: 'result', owner: 'undecided' }]);

  await serve(`127.0.0.1:${first.port}`, '-D', there, '--insecure');
  const late = await nodeCriu(args);
  expect(late).toMatchObject({ exitCode: 0 });
  expect(late.stdout).toMatch(/^owner: source$/m);
  expect(late.stdout).toMatch(/^done: resumed$/m);
  expect(await nodeCriu(['resolve', '-D', directory])).toMatchObject({ exitCode: 0, stdout: '' });
  await memory.verify();
  await memory.writesOn();
});
