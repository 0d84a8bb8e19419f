import { afterEach, expect, test } from 'vitest';
import { awaitEnd, killSession } from '../../src/cleanup/session.ts';
import { native } from '../../src/native/index.ts';
import { type ExitWatch, watchExit } from '../../src/process/exit.ts';
import { readSessionSync } from '../../src/procfs/session.ts';
import { isAlive, isDead } from '../../src/procfs/stat.ts';

const addon = native();
const started: number[] = [];

afterEach(() => {
  for (const pid of started.splice(0)) {
    for (const member of readSessionSync(pid)) {
      try {
        process.kill(member.pid, 'SIGKILL');
      } catch (error) {
        // A member that had ended may be reaped at any moment.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
});

/** Starts a shell that leads a session. */
async function lead(script: string): Promise<{ pid: number; watch: ExitWatch }> {
  const { pid, pidfd } = await addon.spawn({
    file: '/bin/sh',
    args: ['sh', '-c', script],
    env: [`PATH=${process.env.PATH}`],
    descriptors: [],
    newSession: true,
  });
  started.push(pid);
  const watch = watchExit(pidfd);
  watch.ref();
  return { pid, watch };
}

test('kills every member of the session of a child that has ended, and nothing after it is reaped', async () => {
  // With job control the second sleep leads a process group of its own.
  const { pid, watch } = await lead('sleep 1000 & set -m; sleep 1000 & exit 1');
  let killed: number[] = [];
  watch.beforeReap = () => {
    killed = killSession(pid);
  };
  expect(await watch.exited).toEqual({ code: 1, signal: null });
  await awaitEnd(killed);
  expect(readSessionSync(pid).filter((member) => !isDead(member))).toEqual([]);
  expect(killSession(pid)).toEqual([]);
});

test('spares the session of a child that lives', async () => {
  const { pid, watch } = await lead('exec sleep 1000');
  expect(killSession(pid)).toEqual([]);
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, 'SIGKILL');
  await watch.exited;
});
