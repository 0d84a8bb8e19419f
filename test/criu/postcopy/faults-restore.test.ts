import { readlinkSync } from 'node:fs';
import { readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import type { Criu, LazyRestoreOptions } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { forgetKernel } from '../../helpers/kernel-cache.ts';
import {
  daemonOf,
  restoreWithStoppedDaemon,
  serveStepwiseUntil,
  spin,
} from '../../helpers/lazy-daemon.ts';
import { LazyDestination } from '../../helpers/lazy-destination.ts';
import { dumpedMemoryTree } from '../../helpers/memory-tree.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { seeded } from '../../helpers/random.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { oneIn, sample } from '../../helpers/sample.ts';
import {
  client,
  isAlive,
  processState,
  statOf,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** Long enough for everything that must succeed before the deadline. */
const DEADLINE_MS = 15_000;
/** How many moments of a daemon's start the test tries. */
const TRIES = sample('moments at which a starting daemon is closed', 600, 15);
/** Ends a process without warning. */
const kill = (pid: number) => process.kill(pid, 'SIGKILL');

describe.each([0, 3])('a lazy restore of a process with %i others', (others) => {
  const steps = ['preRestore', 'postRestore'] as const;
  const what = `steps of a lazy restore with ${others} others at which the daemon is killed`;
  test.each(oneIn(2, what, steps, others))(
    'fails if the daemon is killed at %s, and leaves no process',
    async (step) => {
      const criu = client();
      const { tree, pids, imagesDirectory } = await dumpedMemoryTree(criu, 32, others);
      const before = await holdings();
      const hooks = {
        async [step]() {
          const daemon = await daemonOf(before);
          kill(daemon);
          await waitGone(daemon);
        },
      };
      const failure = await failureOf(criu.lazyRestore({ imagesDirectory, hooks }));
      expect(failure).toMatchObject({
        code: 'ERR_CRIU_LAZY_PAGES',
        workload: 'gone',
        message: expect.stringMatching(/^lazyRestore: the daemon was killed by SIGKILL/),
      });
      expect(await tree.wrongPages()).toBe('');
      await expectNothingLeft(pids, before);
      await expectRestores(criu, { imagesDirectory });
      const at = { preRestore: 'pre-restore', postRestore: 'post-restore' }[step];
      if (others) return;
      await noteFault('lazy pages', {
        fault: `lazy-pages daemon killed at ${at} of the restore`,
        error: 'ERR_CRIU_LAZY_PAGES',
        workload: 'gone here; the images or the source can be restored again',
        left: 'nothing',
      });
    },
  );

  test('is killed if the daemon dies before every page has arrived, and never reads a wrong page', async () => {
    const criu = client();
    const { tree, pids, imagesDirectory } = await dumpedMemoryTree(
      criu,
      256 / (others + 1),
      others,
    );
    const before = await holdings();
    const [parent] = tree.members;
    const seen = (await parent?.pagesRead()) ?? 0;
    const restored = await restoreWithStoppedDaemon(criu, before, { imagesDirectory });
    const daemon = await daemonOf(before);
    await serveStepwiseUntil(daemon, async () => ((await parent?.pagesRead()) ?? 0) > seen);
    kill(daemon);
    // Blocks the event loop: the library cannot kill processes that lack pages meanwhile.
    const end = performance.now() + 500;
    while (performance.now() < end) readlinkSync('/proc/self/exe');
    expect(await tree.wrongPages()).toBe('');
    expect(await failureOf(restored.pagesDone)).toMatchObject({
      code: 'ERR_CRIU_LAZY_PAGES',
      operation: 'lazyRestore',
      pid: tree.pid,
      workload: 'gone',
      message: expect.stringMatching(/the daemon was killed by SIGKILL.*process \d+ was killed/),
      exit: { code: null, signal: 'SIGKILL' },
    });
    expect(await tree.wrongPages()).toBe('');
    await expectNothingLeft(pids, before);
    await expectRestores(criu, { imagesDirectory });
    if (others) return;
    await noteFault('lazy pages', {
      fault: 'lazy-pages daemon killed after the restore, while pages are outstanding',
      error: 'ERR_CRIU_LAZY_PAGES of `pagesDone`',
      workload: 'killed here, before it could read a page of zeros',
      left: 'nothing',
    });
  });
});

describe('a tree whose root has ended is killed', () => {
  // In a pid namespace whose init reaps no process, so that the exit of every process can be seen.
  const SIGKILL = 9;

  test('if the daemon dies before every page has arrived', async () => {
    const { tree, pids, imagesDirectory } = await dumpedMemoryTree(client(), 64, 3);
    const destination = await LazyDestination.start();
    await destination.restore({ imagesDirectory, stopsDaemon: true });
    await destination.kill('SIGKILL');
    await waitFor(async () => !(await destination.isAlive()), 'the root has ended');
    await destination.killDaemon('SIGKILL');
    expect(await destination.pagesFailed()).toMatchObject({
      code: 'ERR_CRIU_LAZY_PAGES',
      workload: 'gone',
      message: expect.stringMatching(/process \d+ has ended; what was left of its tree was killed/),
    });
    for (const pid of pids.slice(1)) expect(await destination.endOf(pid)).toBe(SIGKILL);
    expect(await tree.wrongPages()).toBe('');
  });

  test('with processes that it has forked meanwhile', async () => {
    const { tree, imagesDirectory } = await dumpedMemoryTree(client(), 512, 0);
    const destination = await LazyDestination.start();
    await destination.restore({ imagesDirectory, stopsDaemon: true });
    await destination.kill('SIGUSR1');
    const child = tree.forkOf(0, 1);
    // The daemon must run for the fork to complete, but must not deliver all pages meanwhile.
    while ((await child.pagesRead()) === 0) await destination.stepDaemon();
    await waitFor(async () => (await destination.openUffds()) === 2, 'the library knows the fork');
    await destination.looksAround();
    await destination.kill('SIGKILL');
    await waitFor(async () => !(await destination.isAlive()), 'the root has ended');
    await destination.killDaemon('SIGKILL');
    expect(await destination.pagesFailed()).toMatchObject({ workload: 'gone' });
    expect(await destination.endOf(await child.pid())).toBe(SIGKILL);
    expect(await tree.wrongPages()).toBe('');
  });
});

const lateSteps = ['preResume', 'postResume'] as const;
test.each(oneIn(2, 'late steps of a lazy restore at which a hook throws', lateSteps))(
  'processes are killed if %s throws, too late for a rollback',
  async (step) => {
    const criu = client();
    const { tree, pids, imagesDirectory } = await dumpedMemoryTree(criu, 64, 1);
    const before = await holdings();
    const cause = new Error('not today');
    const hooks = {
      [step]() {
        throw cause;
      },
    };
    expect(await failureOf(criu.lazyRestore({ imagesDirectory, hooks }))).toMatchObject({
      code: 'ERR_CRIU_HOOK',
      cause,
      workload: 'gone',
      pid: tree.pid,
      message: expect.stringMatching(/too late to roll back.*the restored processes were killed/),
    });
    expect(await tree.wrongPages()).toBe('');
    await expectNothingLeft(pids, before);
  },
);

// A stopped daemon gets time to end by itself.
const limits = ['signal', 'deadlineMs'] as const;
test.each(oneIn(2, 'limits that cancel a lazy restore', limits))(
  'the processes are killed if %s cancels the lazy restore before every page has arrived',
  async (option) => {
    const criu = client();
    const { tree, pids, imagesDirectory } = await dumpedMemoryTree(criu, 64, 0);
    const before = await holdings();
    const controller = new AbortController();
    const limit = option === 'signal' ? { signal: controller.signal } : { deadlineMs: DEADLINE_MS };
    const restored = await restoreWithStoppedDaemon(criu, before, { imagesDirectory, ...limit });
    const failing = failureOf(restored.pagesDone);
    const daemon = await daemonOf(before);
    controller.abort(new Error('enough'));
    expect(await failing).toMatchObject({
      code: option === 'signal' ? 'ERR_CRIU_ABORTED' : 'ERR_CRIU_TIMEOUT',
      workload: 'gone',
      pid: tree.pid,
    });
    await waitGone(daemon);
    expect(await tree.wrongPages()).toBe('');
    await expectNothingLeft(pids, before);
    await expectRestores(criu, { imagesDirectory });
    await noteFault('lazy pages', {
      fault: `lazy restore cancelled by ${option} while pages are outstanding`,
      error: `${option === 'signal' ? 'ERR_CRIU_ABORTED' : 'ERR_CRIU_TIMEOUT'} of \`pagesDone\``,
      workload: 'killed here',
      left: 'nothing',
    });
  },
);

test('a process with all its memory runs on while others wait for theirs', async () => {
  const criu = client();
  const { tree, pids, imagesDirectory } = await dumpedMemoryTree(criu, 128, 1, 1);
  const [parent, child] = tree.members;
  const { daemon, pagesDone } = await stoppedForOne(criu, imagesDirectory, pids);
  // A process that still waits for pages can fork only while the daemon runs.
  process.kill(tree.pid, 'SIGUSR1');
  await tree.forkOf(0, 1).readsAll();
  await parent?.readsAll();
  process.kill(daemon, 'SIGCONT');
  await pagesDone;
  await child?.readsAll();
  expect(await tree.wrongPages()).toBe('');
});

test('a hook that throws ends the daemon', async () => {
  const criu = client();
  const { pids, imagesDirectory } = await dumpedMemoryTree(criu, 16, 0);
  const before = await holdings();
  const cause = new Error('not today');
  const hooks = {
    postRestore() {
      throw cause;
    },
  };
  const failure = await failureOf(criu.lazyRestore({ imagesDirectory, hooks }));
  expect(failure).toMatchObject({ code: 'ERR_CRIU_HOOK', cause, workload: 'gone' });
  await expectNothingLeft(pids, before);
  await expectRestores(criu, { imagesDirectory });
});

// Its children stop themselves or sleep until criu kills them: without criu they never end.
test.each(['criu', 'renamed'])(
  'a daemon of a binary called %s that is closed while it tests the kernel leaves no process behind',
  async (name) => {
    const path = join(await temporaryDirectory(), name);
    await symlink(criuPath(), path);
    const criu = client({ path });
    const { imagesDirectory } = await dumpedMemoryTree(client(), 4, 0);
    const before = await holdings();
    const random = seeded(20_261_124);
    for (let tries = 0; tries < TRIES; tries++) {
      await forgetKernel();
      const daemon = await criu.lazyPages({ imagesDirectory });
      await sleep(random(60));
      await daemon.close();
      expect(await membersOf(daemon.pid)).toEqual([]);
    }
    expect(await holdings()).toEqual(before);
  },
  2000 * TRIES,
);

test('a daemon that is closed while it runs a program ends that program, even if it is stopped', async () => {
  const criu = client();
  const { imagesDirectory } = await dumpedMemoryTree(criu, 4, 0);
  const before = await holdings();
  // The client asks its criu once what the kernel can do, with the same children.
  await (await criu.lazyPages({ imagesDirectory })).close();
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'iptables'), '#!/bin/sh\nkill -STOP $$\n', { mode: 0o755 });
  const { PATH } = process.env;
  process.env.PATH = `${directory}:${PATH}`;
  onTestFinished(() => {
    process.env.PATH = PATH;
  });
  await forgetKernel();
  const daemon = await criu.lazyPages({ imagesDirectory });
  await waitFor(async () => {
    const states = await Promise.all((await membersOf(daemon.pid)).map(Number).map(processState));
    return states.includes('T');
  }, 'iptables is stopped');
  await daemon.close();
  expect(await membersOf(daemon.pid)).toEqual([]);
  expect(await holdings()).toEqual(before);
});

test('close() of the client ends an unused daemon', async () => {
  const criu = client();
  const { imagesDirectory } = await dumpedMemoryTree(criu, 4, 0);
  const before = await holdings();
  const daemon = await criu.lazyPages({ imagesDirectory });
  await criu.close();
  await expect(daemon.done).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  expect(await holdings()).toEqual(before);
});

test.each(oneIn(2, 'limits that end an unused daemon', limits))(
  '%s ends an unused daemon',
  async (option) => {
    const criu = client();
    const { imagesDirectory } = await dumpedMemoryTree(criu, 4, 0);
    const before = await holdings();
    const controller = new AbortController();
    const limit = option === 'signal' ? { signal: controller.signal } : { deadlineMs: DEADLINE_MS };
    const daemon = await criu.lazyPages({ imagesDirectory, ...limit });
    await daemon.ready;
    controller.abort();
    await expect(daemon.done).rejects.toMatchObject({
      code: option === 'signal' ? 'ERR_CRIU_ABORTED' : 'ERR_CRIU_TIMEOUT',
    });
    await daemon.exited;
    expect(await holdings()).toEqual(before);
  },
);

test.each(['preRestore', 'postRestore'] as const)(
  'a lazy restore can be aborted at %s',
  async (step) => {
    const criu = client();
    const { pids, imagesDirectory } = await dumpedMemoryTree(criu, 16, 0);
    const before = await holdings();
    const controller = new AbortController();
    const hooks = { [step]: () => controller.abort(new Error('enough')) };
    const { signal } = controller;
    const failure = await failureOf(criu.lazyRestore({ imagesDirectory, hooks, signal }));
    expect(failure).toMatchObject({ code: 'ERR_CRIU_ABORTED', workload: 'gone' });
    await expectNothingLeft(pids, before);
    await expectRestores(criu, { imagesDirectory });
  },
);

test('the error of a missing source names its address', async () => {
  const criu = client();
  const { pids, imagesDirectory } = await dumpedMemoryTree(criu, 4, 0);
  const before = await holdings();
  const pageServer = { address: '127.0.0.1', port: 1 };
  expect(await failureOf(criu.lazyRestore({ imagesDirectory, pageServer }))).toMatchObject({
    code: 'ERR_CRIU_LAZY_PAGES',
    workload: 'gone',
    message: expect.stringMatching(/is there no lazy source at 127\.0\.0\.1:1\?/),
    log: { path: `${imagesDirectory}/lazy-pages.log` },
  });
  await expectNothingLeft(pids, before);
});

/** Restores two processes, and stops the daemon once it has to serve only the child. */
async function stoppedForOne(criu: Criu, imagesDirectory: string, pids: readonly number[]) {
  for (let tries = 0; tries < 10; tries++) {
    const before = await holdings();
    const { restored: root, pagesDone } = await restoreWithStoppedDaemon(criu, before, {
      imagesDirectory,
    });
    const daemon = await daemonOf(before);
    do {
      // Which process has its memory first depends on the load of the machine.
      const isLeft = (await userfaultsOf(daemon)) === 1 && !(await waitsForPages(root.pid));
      if (isLeft) return { daemon, pagesDone };
      sent(daemon, 'SIGCONT');
      spin();
    } while (sent(daemon, 'SIGSTOP'));
    // On a busy machine both may be complete already.
    await pagesDone;
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await root.exited;
    await Promise.all(pids.map(waitGone));
  }
  throw new Error('the daemon never had just the child to serve');
}

/** The processes of a session that have not ended. */
async function membersOf(session: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map(Number).map(statOf));
  return pids.filter((_, index) => {
    const [state = 'X', , , of] = stats[index] ?? [];
    return Number(of) === session && !'ZX'.includes(state);
  });
}

/** Sends a signal; returns false if the process is gone. */
function sent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** True if a process has memory that a daemon must deliver. */
async function waitsForPages(pid: number): Promise<boolean> {
  return /^VmFlags:.* um\b/m.test(await readFile(`/proc/${pid}/smaps`, 'latin1'));
}

/** How many processes a daemon still serves. */
async function userfaultsOf(daemon: number): Promise<number> {
  const names = await readdir(`/proc/${daemon}/fd`).catch(() => []);
  const links = names.map((name) => readlink(`/proc/${daemon}/fd/${name}`).catch(() => ''));
  return (await Promise.all(links)).filter((link) => link.includes('userfaultfd')).length;
}

async function expectNothingLeft(pids: readonly number[], before: unknown): Promise<void> {
  for (const pid of pids) {
    await waitFor(async () => !(await isAlive(pid)), `process ${pid} is dead`);
    await waitFor(async () => (await processState(pid)) === undefined, `${pid} is reaped`);
  }
  expect(await holdings()).toEqual(before);
}

/** Checks that the images can still be restored. */
async function expectRestores(criu: Criu, options: LazyRestoreOptions): Promise<void> {
  const { restored, pagesDone } = await criu.lazyRestore(options);
  await pagesDone;
  restored.kill('SIGKILL');
}
