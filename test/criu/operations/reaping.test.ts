import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childrenOf, descendantsOf } from '../../../src/procfs/tree.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import {
  client,
  killAfterTest,
  processState,
  startProgram,
  temporaryDirectory,
  waitFor,
} from '../../helpers/workload.ts';

/** Runs the command that follows as init of a pid namespace. */
const AS_INIT = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const NEVER_MS = 600_000;

test('a dump resolves when the pids of the tree are free, and a restore can follow at once', async () => {
  const criu = client();
  const { pid } = await startReapedLate(50, 'family', [join(await temporaryDirectory(), 'n')]);
  await waitFor(() => descendantsOf(pid).length === 4, 'the tree is complete');
  const tree = descendantsOf(pid);
  const imagesDirectory = await temporaryDirectory();
  const result = await criu.dump(pid, { imagesDirectory });
  expect(await Promise.all(tree.map(processState))).toEqual(tree.map(() => undefined));
  expect(result).not.toHaveProperty('occupiedPids');
  expect((await criu.restore({ imagesDirectory })).pid).toBe(pid);
});

test('a dump reports after a limited time which pids are still in use, and who has to reap them', async () => {
  const { pid, reaper } = await startReapedLate(NEVER_MS, 'counter', ['/dev/null']);
  const { occupiedPids } = await client().dump(pid, {
    imagesDirectory: await temporaryDirectory(),
  });
  const parent = { pid: reaper, name: 'late-reaper' };
  expect(occupiedPids).toEqual([{ pid, name: 'counter', state: 'Z', parent }]);
});

test('a cancelled dump that has ended the processes does not wait for their pids', async () => {
  const { pid } = await startReapedLate(NEVER_MS, 'counter', ['/dev/null']);
  const controller = new AbortController();
  const dumped = client().dump(pid, {
    imagesDirectory: await temporaryDirectory(),
    signal: controller.signal,
  });
  await waitFor(async () => (await processState(pid)) === 'Z', 'the process has ended');
  controller.abort();
  expect(await dumped).toMatchObject({ occupiedPids: [{ pid }] });
});

test('a restore waits until a zombie is reaped whose pid it needs', async () => {
  const criu = client();
  const { pid } = await startReapedLate(300, 'counter', ['/dev/null']);
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory, leaveRunning: true });
  process.kill(pid, 'SIGKILL');
  await waitFor(async () => (await processState(pid)) === 'Z', 'the process is a zombie');
  expect((await criu.restore({ imagesDirectory })).pid).toBe(pid);
});

test('the error names a zombie that is not reaped, and its parent', async () => {
  const criu = client();
  const { pid, reaper } = await startReapedLate(NEVER_MS, 'counter', ['/dev/null']);
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory, leaveRunning: true });
  process.kill(pid, 'SIGKILL');
  await waitFor(async () => (await processState(pid)) === 'Z', 'the process is a zombie');
  const error = await failureOf(criu.restore({ imagesDirectory }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_PID_BUSY', workload: 'gone' });
  const zombie = `process ${pid} (counter), a zombie that its parent, process ${reaper} (late-reaper), has not reaped`;
  expect(error.message).toContain(`pid ${pid} is in use by ${zombie}: `);
});

test.each([
  ['an init process', AS_INIT],
  ['a process whose init reaps late', [...AS_INIT, 'LATE', '50']],
])('failed restores in %s leave no zombies', async (_, through) => {
  const reaper = await compileFixture('late-reaper');
  const caller = await LibraryProcess.start(
    through.map((word) => (word === 'LATE' ? reaper : word)),
  );
  const imagesDirectory = await temporaryDirectory();
  const file = await compileFixture('family');
  const args = [join(await temporaryDirectory(), 'numbers')];
  const pid = await caller.ask<number>('spawn', { file, args });
  const processes = async () => await caller.ask<number[]>('processes');
  await waitFor(async () => (await processes()).length > 4, 'the tree is complete');
  const alone = (await processes()).filter((each) => each < pid);
  await caller.ask('dump', { pid, imagesDirectory });
  expect(await processes()).toEqual(alone);
  for (const at of ['preRestore', 'postRestore']) {
    const error = await caller.failure('restoreThrowing', { at, imagesDirectory });
    expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'gone' });
    expect(await processes()).toEqual(alone);
  }
  expect(await caller.ask('restore', { imagesDirectory })).toBe(pid);
});

/** Starts a fixture under a parent that reaps it and its descendants so many milliseconds late. */
async function startReapedLate(ms: number, fixture: string, args: readonly string[]) {
  const [reaper, program] = await Promise.all(
    ['late-reaper', fixture].map((name) => compileFixture(name)),
  );
  const started = await startProgram(reaper as string, [`${ms}`, program as string, ...args]);
  // The child executes the program once it leads a session.
  const isStarted = async () => {
    const [child] = childrenOf(started.pid);
    return (
      child !== undefined && (await readFile(`/proc/${child}/comm`, 'utf8')) === `${fixture}\n`
    );
  };
  await waitFor(isStarted, 'the program is started');
  const pid = childrenOf(started.pid)[0] as number;
  killAfterTest(pid);
  return { pid, reaper: started.pid };
}
