import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Criu, type CriuError, spawnCheckpointable } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { client, killAfterTest, temporaryDirectory } from '../../helpers/workload.ts';

// A process in a pid namespace of its own with the /proc of another: while CRIU dumps it, the process makes this directory
// in its working directory, mounts its /proc there, and removes it again.
const NAME = 'proc.crtools';

beforeAll(async () => {
  await compileFixture('kill-at-name');
});

test('a process that is killed while it has the directory leaves none behind', async () => {
  const { criu, cwd } = await ready();
  const before = await holdings();
  let error: Partial<CriuError> = {};
  // The directory exists for about 0.1 ms, which the signal sometimes misses: the dump may even be done.
  for (let seen = ''; seen !== 'left\n'; ) {
    const pid = await startIn(cwd);
    const killer = spawn(await compileFixture('kill-at-name'), [cwd, NAME, `${pid}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void killer.kill());
    await once(killer.stdout, 'data');
    const output = text(killer.stdout);
    error = await dumpRunning(criu, pid).then(
      () => ({}),
      (reason: CriuError) => reason,
    );
    seen = await output;
  }
  expect(error.workload).toBe('gone');
  expect(await readdir(cwd)).toEqual([]);
  expect(await holdings()).toEqual(before);
  await dumpRunning(criu, await startIn(cwd));
  await noteFault('dump', {
    fault: `the root process killed while it has the directory ${NAME}`,
    error: 'ERR_CRIU_EOF or ERR_CRIU_FAILED',
    workload: 'gone',
    left: 'nothing',
  });
});

test('a directory that an earlier dump has left is removed before CRIU needs its name', async () => {
  const { criu, cwd } = await ready();
  const pid = await startIn(cwd);
  await mkdir(join(cwd, NAME));
  await dumpRunning(criu, pid);
  expect(await readdir(cwd)).toEqual([]);
  await noteFault('dump', {
    fault: `an empty directory ${NAME} in the working directory of the root process`,
    error: 'none',
    workload: 'runs on',
    left: 'nothing: the library removes it',
  });
});

test.each(['a directory with a file', 'a symbolic link'])(
  'what CRIU cannot have left there stays, and the error says so: %s',
  async (kind) => {
    const { criu, cwd } = await ready();
    const pid = await startIn(cwd);
    const target = await temporaryDirectory();
    if (kind === 'a symbolic link') {
      await symlink(target, join(cwd, NAME));
    } else {
      await mkdir(join(cwd, NAME));
      await writeFile(join(cwd, NAME, 'file'), '');
    }
    const error = await failureOf(dumpRunning(criu, pid));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
    expect(error.message).toContain(`CRIU needs the name ${join(cwd, NAME)} for a moment`);
    expect(error.message).toContain('remove it');
    expect(await readdir(cwd)).toEqual([NAME]);
    expect(await readdir(target)).toEqual([]);
    await noteFault('dump', {
      fault: `${kind} named ${NAME} in the working directory of the root process`,
      error: 'ERR_CRIU_FAILED: the message has its path',
      workload: 'runs on',
      left: 'what was there',
    });
  },
);

test('two dumps that meet in a working directory: the one that fails says so', async () => {
  const { criu, cwd } = await ready();
  // CRIU needs the directory once more for each thread.
  const threads = await compileFixture('idle-threads');
  const pids = await Promise.all([startIn(cwd, threads, '64'), startIn(cwd, threads, '64')]);
  const errors: CriuError[] = [];
  while (errors.length === 0) {
    const dumps = await Promise.allSettled(pids.map((pid) => dumpRunning(criu, pid)));
    errors.push(...dumps.flatMap((dump) => (dump.status === 'rejected' ? [dump.reason] : [])));
  }
  for (const error of errors) {
    expect(error).toMatchObject({ code: 'ERR_CRIU_BUSY', workload: 'running' });
    expect(error.message).toContain('another dump of a process in this directory used it');
  }
  expect(await readdir(cwd)).toEqual([]);
  for (const pid of pids) await dumpRunning(criu, pid);
  await noteFault('dump', {
    fault: `two dumps at once of processes with one working directory that both need ${NAME} there`,
    error: 'none, or ERR_CRIU_BUSY if they meet',
    workload: 'runs on',
    left: 'nothing',
  });
});

async function ready() {
  const criu = client();
  await criu.version();
  return { criu, cwd: await realpath(await temporaryDirectory()) };
}

/** Starts a process in a pid namespace of its own, with the /proc of the test, and returns its pid. */
async function startIn(cwd: string, file = 'sleep', argument = '1000'): Promise<number> {
  const { pid } = await spawnCheckpointable(file, [argument], { cwd, pidNamespace: true });
  killAfterTest(pid);
  return pid;
}

async function dumpRunning(criu: Criu, pid: number) {
  return await criu.dump(pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
}
