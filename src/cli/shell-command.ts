import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 5000;
/** How long to wait for the rest of the output after the shell exits, in milliseconds. */
const OUTPUT_MS = 500;

/** A text as one word of a shell command. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text as one word of a shell command, quoted only if it has to be. */
export function asWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

export interface ShellCommand {
  /** The flag that the command line comes from, for messages. */
  readonly flag: string;
  readonly line: string;
  /** Variables in addition to those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Called with each line of output. */
  readonly onLine: (line: string) => void;
  /** Ends the shell and its process group, by SIGTERM and after a grace period by SIGKILL. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a command line with `sh -c` until it exits. It has no input, and a session of its own, so that
 * Ctrl-C does not reach it.
 * @throws Error with the last line of its standard error, if it fails
 */
export async function runShellCommand(command: ShellCommand): Promise<void> {
  const { flag, line, environment, onLine, signal } = command;
  const child = spawn('sh', ['-c', line], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let last = '';
  const closed = [child.stdout, child.stderr].map((stream) => {
    const lines = createInterface(stream).on('line', (text) => {
      onLine(text);
      if (stream === child.stderr && text.trim() !== '') last = text.trim();
    });
    return once(lines, 'close');
  });
  const stop = () => endGroup(child.pid, exited);
  signal?.addEventListener('abort', stop);
  try {
    if (signal?.aborted) stop();
    const [code, killer] = await exited;
    // A background process can keep the output open.
    await Promise.race([Promise.all(closed), sleep(OUTPUT_MS, undefined, { ref: false })]);
    if (code === 0) return;
    const how = killer ? `was killed by ${killer}` : `failed with exit code ${code}`;
    throw new Error(`${flag} ${how}${last && `: ${last}`}`);
  } finally {
    signal?.removeEventListener('abort', stop);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** The shell leads a process group of its own. */
function endGroup(pid: number | undefined, exited: Promise<unknown>): void {
  if (pid === undefined) return;
  killGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), GRACE_MS);
  exited.finally(() => clearTimeout(timer)).catch(() => {});
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}
