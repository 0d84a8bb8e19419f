import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { linkOfSync } from '../../../src/procfs/read.ts';
import { childrenOf } from '../../../src/procfs/tree.ts';
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
  const pid = await childOf(manager.child.pid as number, program);
  killAfterTest(pid);
  await manager.prints(/(service\..*\n){3}/);
  // Two complete ones, and one that is being taken or is not removed yet.
  expect((await readdir(directory)).length).toBeLessThanOrEqual(4);
  process.kill(pid, 'SIGKILL');
  await manager.prints(new RegExp(`restored process ${pid} from .*\n(.*\n)*service`));
  await waitFor(async () => (await readdir(directory)).length > 1, 'checkpoints are there');
});

/** The pid of the child that runs a program. */
async function childOf(parent: number, program: string): Promise<number> {
  let found: number | undefined;
  await waitFor(async () => {
    found = childrenOf(parent).find((pid) => linkOfSync(`/proc/${pid}/exe`) === program);
    return found !== undefined;
  }, `${program} runs`);
  return found as number;
}
