import { spawn } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import type { Duplex, Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { compileFixture } from './compile.ts';
import { Output } from './descriptors.ts';
import { killAfterTest, waitFor } from './workload.ts';

/**
 * Starts a program as session leader on a terminal whose master belongs to another process. With `extra`
 * it also has a descriptor 3, whose other end is the `channel`.
 */
export async function startOnTerminal(program: string, args: string[] = [], extra: 'pipe'[] = []) {
  const file = await compileFixture('pty-run');
  const stdio = ['pipe', 'pipe', 'inherit', ...extra] as const;
  // What the surroundings of a test say about colours is not for the program: Vitest sets FORCE_COLOR, and
  // Node shows none where CI is set.
  const colours = {
    FORCE_COLOR: undefined,
    NO_COLOR: undefined,
    NODE_DISABLE_COLORS: undefined,
    CI: undefined,
  };
  const env = { ...process.env, ...colours, TERM: 'xterm' };
  const runner = spawn(file, [program, ...args], { stdio: [...stdio], env });
  const closed = new Promise((resolve) => runner.once('close', resolve));
  onTestFinished(async () => {
    runner.kill('SIGKILL');
    await closed;
  });
  const output = new Output(runner.stdout as Readable);
  await output.has('\n');
  const pid = Number.parseInt(output.text, 10);
  killAfterTest(pid);
  const runs = async () => (await readlink(`/proc/${pid}/exe`)) !== file;
  await waitFor(runs, `${program} runs`);
  return {
    pid,
    /** The process that has the master. */
    runner,
    output,
    /** Resolves when the terminal is gone because no process has it open. */
    closed,
    channel: runner.stdio[3] as Duplex,
    type: (text: string) => void runner.stdin?.write(text),
  };
}
