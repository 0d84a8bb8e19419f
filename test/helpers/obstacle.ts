import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PreflightFinding, ProcessHandle } from '../../src/index.ts';
import { native } from '../../src/native/index.ts';
import { findExecutable } from '../../src/process/executable.ts';
import { ProcessHandle as Handle } from '../../src/process/process-handle.ts';
import { childrenOf } from '../../src/procfs/tree.ts';
import { compileFixture } from './compile.ts';
import { killAfterTest, temporaryDirectory, waitFor } from './workload.ts';

/**
 * Starts the fixture `obstacle`, which makes one obstacle to a dump, and waits until it is ready. It
 * leads a session, and its only descriptors are /dev/null and a file; unlike a program of
 * spawnCheckpointable it may use io_uring.
 * @param argument `@` in it stands for a new directory
 * @param through a program with arguments that executes the fixture, such as `unshare --ipc`
 */
export async function startObstacle(
  kind: string,
  argument = '',
  through: readonly string[] = [],
): Promise<ProcessHandle> {
  const directory = await temporaryDirectory();
  const stdout = join(directory, 'out');
  const obstacle = [await compileFixture('obstacle'), kind, argument.replace('@', directory)];
  const [file = '', ...args] = [...through, ...obstacle];
  const { path } = await findExecutable('start', file);
  const files = [openSync('/dev/null', 'r'), openSync(stdout, 'a')] as const;
  const { pid, pidfd } = await native().spawn({
    file: path,
    args: [file, ...args],
    env: [`PATH=${process.env.PATH}`],
    descriptors: [0, 1, 1].map((from, to) => [to, files[from] as number] as const),
    newSession: true,
  });
  for (const fd of files) closeSync(fd);
  const program = new Handle(pid, pidfd);
  killAfterTest(program.pid);
  const output = () => readFile(stdout, 'utf8');
  await waitFor(async () => (await output()).endsWith('\n') || !program.kill(0), 'it is ready');
  if ((await output()) !== 'ready\n') throw new Error(`no ${kind}: ${await output()}`);
  return program;
}

/** The pid of the only child of a process. */
export async function childOf(pid: number): Promise<number> {
  const children = childrenOf(pid);
  if (children.length !== 1) throw new Error(`process ${pid} has the children ${children}`);
  return children[0] as number;
}

/** The distinct codes of findings, sorted. */
export function codesOf(findings: readonly PreflightFinding[] | undefined): string[] | undefined {
  return findings && [...new Set(findings.map(({ code }) => code))].sort();
}
