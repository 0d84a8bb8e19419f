import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync, readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { native } from '../../src/native/index.ts';
import { killAfterTest, type Program, waitFor } from './workload.ts';

/**
 * Starts a program as a session leader with the given descriptors as 0, 1, …; the first three are
 * /dev/null by default. It is killed after the test, whether original or restored.
 */
export async function startOn(
  descriptors: readonly (number | undefined)[],
  file: string,
  args: readonly string[] = [],
): Promise<Program> {
  const count = Math.max(descriptors.length, 3);
  const stdio = Array.from({ length: count }, (_, place) => descriptors[place] ?? 'ignore');
  const child = spawn(file, args, { detached: true, stdio });
  const ended = once(child, 'exit').catch((error: unknown) => error);
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${file}`, { cause: await ended });
  killAfterTest(pid);
  // Before it executes the program, it also has descriptors of this process.
  await waitFor(() => readlinkSync(`/proc/${pid}/exe`) === file, `${file} runs`);
  return { pid, ended };
}

/** A pipe, `[read end, write end]`, closed after the test. The read end does not block. */
export function pipe(): [number, number] {
  const ends = native().pipe();
  for (const fd of ends) closeAfterTest(fd);
  return ends;
}

/** Closes a descriptor of this process, unless it was closed before. */
export function closeAfterTest(fd: number): void {
  const { ino, dev } = fstatSync(fd);
  onTestFinished(() => {
    try {
      const now = fstatSync(fd);
      if (now.ino === ino && now.dev === dev) native().close(fd);
    } catch {
      // It is closed already.
    }
  });
}

/** The link of a descriptor in /proc, such as `pipe:[123]`. */
export function nameOf(fd: number, pid: number | 'self' = 'self'): string {
  return readlinkSync(`/proc/${pid}/fd/${fd}`);
}

/** Collects the output of a stream. */
export class Output {
  text = '';

  constructor(stream: Readable) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    // The stream may have been paused, and may be reset.
    stream.on('error', () => {}).resume();
  }

  /** Resolves when the text has arrived. */
  async has(text: string): Promise<void> {
    await waitFor(() => this.text.includes(text), `'${text}' in '${this.text}'`).catch(() => {
      throw new Error(`waited 20 s for '${text}', and have '${this.text}'`);
    });
  }
}
