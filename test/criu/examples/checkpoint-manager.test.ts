import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { compileFixture } from '../../helpers/compile.ts';
import { startExample } from '../../helpers/example.ts';
import { killAfterTest, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

test('the checkpoint manager rotates checkpoints and restores a service that has crashed', async () => {
  const directory = await temporaryDirectory();
  const program = await compileFixture('counter');
  const env = { INTERVAL_MS: '50', KEEP: '2' };
  const manager = await startExample('checkpoint-manager.js', [directory, program, '/dev/null'], {
    env,
  });
  const [, started] = await manager.prints(/started process (\d+)/);
  const pid = Number(started);
  killAfterTest(pid);
  await manager.prints(/(checkpoint .*: frozen for [\d.]+ ms\n){3}/);
  // Two complete ones, and one that is being taken or is not removed yet.
  expect((await readdir(directory)).length).toBeLessThanOrEqual(4);
  process.kill(pid, 'SIGKILL');
  await manager.prints(new RegExp(`restored process ${pid} from .*\n(.*\n)*checkpoint`));
  await waitFor(async () => (await readdir(directory)).length > 1, 'checkpoints are there');
});
