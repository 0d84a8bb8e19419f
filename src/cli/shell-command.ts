import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long it may take to end once it is told to, in milliseconds. */
const GRACE_MS = 5000;
/** How long the rest of what it has said may take to come, in milliseconds. */
const REST_MS = 500;

/** A command line, and what it gets and tells. */
export interface ShellCommand {
  /** The flag by which it was given, for messages. */
  readonly flag: string;
  readonly line: string;
  /** Variables beside those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Is given each line that it writes. */
  readonly told: (line: string) => void;
  /** Ends it: by SIGTERM, and if it goes on by SIGKILL, with all that it has started. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a command line by `sh -c` to its end. It has no input and no terminal: Ctrl-C is for us.
 * @throws Error if it fails, with the last line of its standard error
 */
export async function runShellCommand(command: ShellCommand): Promise<void> {
  const { flag, line, environment, told, signal } = command;
  const child = spawn('sh', ['-c', line], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let last = '';
  const closed = [child.stdout, child.stderr].map((stream) => {
    const lines = createInterface(stream).on('line', (text) => {
      told(text);
      if (stream === child.stderr && text.trim() !== '') last = text.trim();
    });
    return once(lines, 'close');
  });
  const stop = () => endGroup(child.pid, exited);
  signal?.addEventListener('abort', stop);
  try {
    if (signal?.aborted) stop();
    const [code, killer] = await exited;
    // What it has left in the background may hold its output open.
    await Promise.race([Promise.all(closed), sleep(REST_MS, undefined, { ref: false })]);
    if (code === 0) return;
    const how = killer ? `was killed by ${killer}` : `has failed with exit code ${code}`;
    throw new Error(`${flag} ${how}${last && `: ${last}`}`);
  } finally {
    signal?.removeEventListener('abort', stop);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** It leads a group of its own. */
function endGroup(pid: number | undefined, exited: Promise<unknown>): void {
  if (pid === undefined) return;
  killGroup(pid, 'SIGTERM');
  const late = setTimeout(() => killGroup(pid, 'SIGKILL'), GRACE_MS);
  exited.finally(() => clearTimeout(late)).catch(() => {});
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
