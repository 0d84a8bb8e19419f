import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PreflightFinding, ProcessHandle } from '../../src/index.ts';
import { native } from '../../src/native/index.ts';
import { findExecutable } from '../../src/process/executable.ts';
import { ProcessHandle as Handle } from '../../src/process/process-handle.ts';
import { compileFixture } from './compile.ts';
import { killAfterTest, temporaryDirectory, waitFor } from './workload.ts';

/**
 * Starts the fixture with one obstacle, through a program that changes its circumstances if there is
 * one, and waits until it has it. `@` in the argument is a directory of its own. It leads a session
 * and has no descriptor but /dev/null and a file; unlike with spawnCheckpointable it may have io_uring.
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
  const { pid, pidfd } = native().spawn({
    file: path,
    args: [file, ...args],
    env: [`PATH=${process.env.PATH}`],
    descriptors: [0, 1, 1].map((from, to) => [to, files[from] as number] as const),
    newSession: true,
  });
  for (const fd of files) closeSync(fd);
  const program = new Handle(pid, pidfd);
  killAfterTest(program.pid);
  const said = () => readFile(stdout, 'utf8');
  await waitFor(async () => (await said()).endsWith('\n') || !program.kill(0), 'it is ready');
  if ((await said()) !== 'ready\n') throw new Error(`no ${kind}: ${await said()}`);
  return program;
}

/** The only child of a process. */
export async function childOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const children = text.split(' ').filter(Boolean).map(Number);
  if (children.length !== 1) throw new Error(`process ${pid} has the children ${children}`);
  return children[0] as number;
}

/** The codes of findings, each once, in order. */
export function codesOf(findings: readonly PreflightFinding[] | undefined): string[] | undefined {
  return findings && [...new Set(findings.map(({ code }) => code))].sort();
}
