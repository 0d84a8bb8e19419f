import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { treeFacts } from '../../src/migration/protocol/host-facts.ts';
import { startObstacle } from '../helpers/obstacle.ts';

/** A Node program, which has threads, that runs until the test is over. */
async function start(script: string): Promise<number> {
  const program = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void program.kill('SIGKILL'));
  await once(program.stdout, 'data');
  return program.pid as number;
}

const WAIT = "process.stdout.write('.'); setInterval(() => {}, 1e6);";

test('the ids of threads have to be free as well', async () => {
  const pid = await start(WAIT);
  const { pids, program } = await treeFacts(pid);
  const tasks = (await readdir(`/proc/${pid}/task`)).map(Number);
  expect(tasks.length).toBeGreaterThan(1);
  expect(pids[0]).toBe(pid);
  expect([...pids].sort()).toEqual(tasks.sort());
  expect(program).toBe((await readFile(`/proc/${pid}/comm`, 'utf8')).trim());
});

test('memory that is shared counts', async () => {
  const [shared, nothing] = [await startObstacle('shared_memory'), await startObstacle('nothing')];
  const MIB = 1 << 20;
  expect((await treeFacts(nothing.pid)).memory).toBeLessThan(MIB);
  expect((await treeFacts(shared.pid)).memory).toBeGreaterThanOrEqual(MIB);
});
