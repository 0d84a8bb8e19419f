import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { Criu, type CriuClientOptions } from '../../src/index.ts';
import { compileFixture } from './compile.ts';

/** A client of the criu that works on this kernel, closed after the test. */
export function client(options: CriuClientOptions = {}): Criu {
  const criu = new Criu({ path: criuPath(), ...options });
  onTestFinished(() => criu.close());
  return criu;
}

/** A directory that is removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export interface Program {
  readonly pid: number;
  /** Resolves when the started process has ended, also if a dump has killed it. */
  readonly ended: Promise<unknown>;
}

/**
 * Starts a program that can be dumped: a session leader with no descriptors except /dev/null and `files`.
 * It is killed by its pid after the test, whether original or restored.
 */
export async function startProgram(
  file: string,
  args: readonly string[] = [],
  options: { stdout?: string; stderr?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<Program> {
  const { stdout = '/dev/null', stderr = '/dev/null', ...rest } = options;
  // Not execa, which writes files itself from pipes, and CRIU cannot dump those pipes.
  const files = [openSync(stdout, 'a', 0o600), openSync(stderr, 'a', 0o600)];
  const child = spawn(file, args, { ...rest, detached: true, stdio: ['ignore', ...files] });
  const ended = once(child, 'exit').catch((error: unknown) => error);
  for (const fd of files) closeSync(fd);
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${file}`, { cause: await ended });
  killAfterTest(pid);
  return { pid, ended };
}

/** Kills a process and its process group after the test. */
export function killAfterTest(pid: number): void {
  onTestFinished(async () => {
    for (const target of [-pid, pid]) {
      try {
        process.kill(target, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    }
    await waitFor(async () => !(await isAlive(pid)), `process ${pid} is dead`);
  });
}

export interface Counter extends Program {
  /** The last number in the file. */
  count(): Promise<number>;
  /** All numbers in the file: 1, 2, 3, … if none was lost or written twice. */
  numbers(): Promise<number[]>;
  /** Resolves when the process has written another number. */
  countsOn(): Promise<void>;
}

/** Starts a program that counts in memory, every 5 ms, and writes each number to a file. */
export async function startCounter(directory?: string): Promise<Counter> {
  const file = join(directory ?? (await temporaryDirectory()), 'numbers');
  const program = await startProgram(await compileFixture('counter'), [file]);
  const numbers = async () =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1).map(Number);
  const count = async () => (await numbers()).at(-1) ?? 0;
  const countsOn = async () => {
    const before = await count();
    await waitFor(async () => (await count()) > before, `process ${program.pid} counts on`);
  };
  await countsOn();
  return { ...program, numbers, count, countsOn };
}

/** Polls until the condition holds; fails with `what` after 20 s. */
export async function waitFor(
  condition: () => Promise<boolean> | boolean,
  what: string,
): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error(`waited 20 s in vain: ${what}`);
}

/** The state letter of a process in /proc, or undefined if there is none. */
export async function processState(pid: number): Promise<string | undefined> {
  return (await statOf(pid))?.[0];
}

/** The fields of /proc/PID/stat after the name, the state first; undefined if there is none. */
export async function statOf(pid: number): Promise<string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The session of a process. */
export async function sessionOf(pid: number): Promise<number> {
  return Number((await statOf(pid))?.[3]);
}

/** True if a process exists and is not a zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  return !['Z', 'X', undefined].includes(await processState(pid));
}

/** Waits until a process is stopped, which it is only once it has had a processor after the signal. */
export async function waitStopped(pid: number): Promise<void> {
  await waitFor(async () => (await processState(pid)) === 'T', `process ${pid} is stopped`);
}

/** Waits until a process has ended and has been reaped. */
export async function waitGone(pid: number): Promise<void> {
  await waitFor(async () => (await processState(pid)) === undefined, `process ${pid} is gone`);
}
