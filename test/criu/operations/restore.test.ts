import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { type Criu, type RestoreOptions, readRestoreStats } from '../../../src/index.ts';
import { countsInOrder, dumpedCounter, dumpedFamily } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import { sample } from '../../helpers/sample.ts';
import {
  client,
  isAlive,
  processState,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
  waitStopped,
} from '../../helpers/workload.ts';

test('a restored process keeps its pid, is no child of this process, and its exit is reported', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const restored = await criu.restore({ imagesDirectory });
  expect(restored.pid).toBe(counter.pid);
  expect(await children()).not.toContain(restored.pid);
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);

  let ended = false;
  const exited = restored.exited.then((status) => {
    ended = true;
    return status;
  });
  await counter.countsOn();
  expect(ended).toBe(false);
  expect(restored.kill('SIGKILL')).toBe(true);
  // Only its parent knows the exit status.
  expect(await exited).toEqual({ code: null, signal: null });
  expect(await isAlive(counter.pid)).toBe(false);
  expect(await restored.exited).toEqual({ code: null, signal: null });
  expect(restored.kill()).toBe(false);
});

test('the exit code of a process restored as a child is reported, and no zombie remains', async () => {
  const { restored } = await restoredProgram('exit-when-told', ['7'], { asChild: true });
  expect(await children()).toContain(restored.pid);
  expect(restored.kill(0)).toBe(true);
  expect(restored.kill('SIGUSR1')).toBe(true);
  expect(await restored.exited).toEqual({ code: 7, signal: null });
  expect(await processState(restored.pid)).toBeUndefined();
  expect(await children()).not.toContain(restored.pid);
});

test('a child whose exit is not awaited leaves no zombie', async () => {
  const { restored } = await restoredProgram('exit-when-told', ['0'], { asChild: true });
  restored.kill('SIGUSR1');
  await waitGone(restored.pid);
  expect(restored.kill()).toBe(false);
  expect(await restored.exited).toEqual({ code: 0, signal: null });
});

test.each([
  ['SIGTERM', undefined],
  ['SIGKILL', 'SIGKILL'],
  ['SIGINT', 2],
  ['SIGABRT', 'SIGABRT'],
] as const)('the signal %s that ended a child is reported', async (signal, sent) => {
  const { restored } = await restoredProgram('exit-when-told', ['7'], { asChild: true });
  expect(sent === undefined ? restored.kill() : restored.kill(sent)).toBe(true);
  expect(await restored.exited).toEqual({ code: null, signal });
  expect(restored.kill(0)).toBe(false);
  expect(restored.kill('SIGKILL')).toBe(false);
});

test('a signal that does not exist is refused', async () => {
  const { restored } = await restoredProgram('exit-when-told', ['7'], { asChild: true });
  for (const signal of ['SIGNOTHING' as NodeJS.Signals, -1, 65, 1.5]) {
    expect(await failureOf(() => restored.kill(signal))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'signal',
    });
  }
  expect(await isAlive(restored.pid)).toBe(true);
});

test.each([false, true])('a whole tree comes back (asChild: %s)', async (asChild) => {
  const criu = client();
  const { pid, pids, members, imagesDirectory } = await dumpedFamily(criu);
  expect(pids).toHaveLength(4);

  const restored = await criu.restore({ imagesDirectory, asChild });
  expect(restored.pid).toBe(pid);
  for (const member of members) await member.countsOn();
  expect(await Promise.all(members.map(countsInOrder))).toEqual([true, true, true, true]);
  expect(await Promise.all(pids.map(isAlive))).toEqual([true, true, true, true]);
  expect((await children()).includes(pid)).toBe(asChild);
});

test('with leaveStopped the restored process is stopped, and continues after SIGCONT', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const before = await counter.count();
  const restored = await criu.restore({ imagesDirectory, leaveStopped: true });
  await waitStopped(counter.pid);
  expect(await counter.count()).toBe(before);
  restored.kill('SIGCONT');
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);
});

test('with execCmd criu executes another program, which is the parent of the restored process', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const said = join(imagesDirectory, 'said');
  const script = `cat /proc/$$/task/$$/children > ${said}.new; mv ${said}.new ${said}; echo $$ > ${said}.pid; exec sleep 1000`;
  const restored = await criu.restore({ imagesDirectory, execCmd: ['/bin/sh', '-c', script] });
  await waitFor(async () => (await readdir(imagesDirectory)).includes('said.pid'), 'it has run');
  await waitFor(async () => (await readFile(`${said}.pid`, 'utf8')) !== '', 'it has said its pid');
  const successor = Number(await readFile(`${said}.pid`, 'utf8'));
  onTestFinished(async () => {
    process.kill(successor, 'SIGKILL');
    await waitGone(successor);
  });
  expect((await readFile(said, 'utf8')).split(' ')).toContain(String(counter.pid));
  expect(restored.pid).toBe(counter.pid);
  await counter.countsOn();
  expect(await isAlive(successor)).toBe(true);
});

test('log and statistics go to the work directory', async () => {
  const criu = client();
  const { imagesDirectory } = await dumpedCounter(criu);
  const workDirectory = join(await temporaryDirectory(), 'work');
  const before = await readdir(imagesDirectory);
  const options = { imagesDirectory, workDirectory, logFile: 'own.log', logLevel: 4 } as const;
  const { log, stats, durationMs } = await criu.restore(options);
  expect((await readdir(workDirectory)).sort()).toEqual(['own.log', 'stats-restore']);
  expect(await readdir(imagesDirectory)).toEqual(before);
  expect(log?.path).toBe(join(workDirectory, 'own.log'));
  expect(await readFile(join(workDirectory, 'own.log'), 'utf8')).toContain('Restoring');
  expect(await readRestoreStats(workDirectory)).toEqual(stats);
  expect(stats.pagesRestored).toBeGreaterThan(10);
  expect(stats.restoreTimeMs).toBeGreaterThan(0);
  expect(stats.restoreTimeMs).toBeLessThan(durationMs);
});

test('images can be moved, and their directory given as a descriptor', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const elsewhere = join(await temporaryDirectory(), 'elsewhere');
  await mkdir(elsewhere);
  await rename(imagesDirectory, elsewhere);
  const handle = await open(elsewhere);
  onTestFinished(() => handle.close());
  const { log } = await criu.restore({ imagesDirectory: handle });
  await counter.countsOn();
  expect(log?.path).toBe(join(elsewhere, 'restore.log'));
  expect((await handle.stat()).isDirectory()).toBe(true);
});

test('a second restore is refused while the first process uses the pid', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const restored = await criu.restore({ imagesDirectory, asChild: true });
  const before = await holdings();
  const error = await failureOf(criu.restore({ imagesDirectory }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_PID_BUSY', operation: 'restore' });
  expect(error.message).toMatch(
    new RegExp(
      `pid ${counter.pid} is in use by process ${counter.pid} \\(counter\\), \\w+, a child of process ${process.pid} \\(`,
    ),
  );
  expect(await holdings()).toEqual(before);
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);

  restored.kill('SIGKILL');
  await restored.exited;
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
});

test.each([false, true])(
  'a restored process does not keep Node running (asChild: %s)',
  async (asChild) => {
    const criu = client();
    const { counter, imagesDirectory } = await dumpedCounter(criu);
    const { stdout } = await runRestorer(imagesDirectory, asChild, false);
    expect(stdout).toBe(`restored ${counter.pid}`);
    await counter.countsOn();
    expect(await countsInOrder(counter)).toBe(true);
  },
);

test.each([
  [false, '{"code":null,"signal":null}'],
  [true, '{"code":null,"signal":"SIGKILL"}'],
])('waiting for its end does keep Node running (asChild: %s)', async (asChild, status) => {
  const { counter, imagesDirectory } = await dumpedCounter(client());
  const running = runRestorer(imagesDirectory, asChild, true);
  // By then a Node that nothing keeps running has ended.
  for (let i = 0; i < 100; i++) await counter.countsOn();
  process.kill(counter.pid, 'SIGKILL');
  expect((await running).stdout).toBe(`restored ${counter.pid}\nexited ${status}`);
});

const ROUNDS = sample('rounds of dump and restore that leave nothing behind', 19, 5);

test('rounds of dump and restore leave nothing behind', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const round = async () => {
    await criu.dump(counter.pid, { imagesDirectory, overwrite: true });
    await waitGone(counter.pid);
    await criu.restore({ imagesDirectory, asChild: true });
    await counter.countsOn();
  };
  await round();
  const before = await holdings();
  for (let i = 0; i < ROUNDS; i++) await round();
  expect(await holdings()).toEqual(before);
  expect(await countsInOrder(counter)).toBe(true);
});

test('rounds of dumps and restores of a process that is no child leave nothing behind', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const before = await holdings();
  for (let i = 0; i < 3; i++) {
    const restored = await criu.restore({ imagesDirectory });
    await counter.countsOn();
    await criu.dump(counter.pid, { imagesDirectory, overwrite: true });
    await restored.exited;
    await waitGone(counter.pid);
  }
  expect(await holdings()).toEqual(before);
  expect(await countsInOrder(counter)).toBe(true);
});

/** Starts a program that does nothing yet, dumps and restores it. */
async function restoredProgram(
  fixture: string,
  args: string[],
  options: Omit<RestoreOptions, 'imagesDirectory'>,
  criu: Criu = client(),
) {
  const { pid } = await startProgram(await compileFixture(fixture), args);
  await waitFor(async () => (await processState(pid)) === 'S', 'it waits');
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory });
  await waitGone(pid);
  return { restored: await criu.restore({ imagesDirectory, ...options }), imagesDirectory };
}

function runRestorer(imagesDirectory: string, asChild: boolean, wait: boolean) {
  const script = join(import.meta.dirname, '../../fixtures/restorer.mjs');
  const args = [script, criuPath(), imagesDirectory, String(asChild), String(wait)];
  return execa(process.execPath, args, { timeout: 30_000 });
}
