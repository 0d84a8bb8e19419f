import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readTreeFacts } from '../../src/migration/protocol/host-facts.ts';
import { startObstacle } from '../helpers/obstacle.ts';

/** Starts a Node program, which has threads; killed after the test. */
async function start(script: string): Promise<number> {
  const program = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void program.kill('SIGKILL'));
  await once(program.stdout, 'data');
  return program.pid as number;
}

const WAIT = "process.stdout.write('.'); setInterval(() => {}, 1e6);";

test('the facts of a tree include the ids of its threads', async () => {
  const pid = await start(WAIT);
  const { pids, program } = await readTreeFacts(pid);
  const tasks = (await readdir(`/proc/${pid}/task`)).map(Number);
  expect(tasks.length).toBeGreaterThan(1);
  expect(pids[0]).toBe(pid);
  expect([...pids].sort()).toEqual(tasks.sort());
  expect(program).toBe((await readFile(`/proc/${pid}/comm`, 'utf8')).trim());
});

test('the facts of a tree include shared memory', async () => {
  const [shared, nothing] = [await startObstacle('shared_memory'), await startObstacle('nothing')];
  const MIB = 1 << 20;
  expect((await readTreeFacts(nothing.pid)).memory).toBeLessThan(MIB);
  expect((await readTreeFacts(shared.pid)).memory).toBeGreaterThanOrEqual(MIB);
});
