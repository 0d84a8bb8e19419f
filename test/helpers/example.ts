import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { buildLibrary } from './built.ts';
import { root } from './pages.ts';
import { waitFor } from './workload.ts';

/** A running program of examples/. */
export interface Example {
  readonly child: ChildProcess;
  /** Resolves with the first match in its output; fails if it ends without one. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with its exit code and its output. */
  readonly ended: Promise<{ code: number | null; output: string }>;
}

/**
 * Starts a program of examples/, which is killed after the test.
 * @param options `through` is a command that runs it, such as `unshare`
 */
export async function startExample(
  name: string,
  args: readonly (string | number)[],
  options: { env?: Record<string, string>; through?: readonly string[] } = {},
): Promise<Example> {
  await buildLibrary();
  const { env = {}, through = [] } = options;
  const program = [process.execPath, join(root, 'examples', name), ...args.map(String)];
  const [file, ...rest] = [...through, ...program] as [string, ...string[]];
  const child = spawn(file, rest, {
    env: { ...process.env, CRIU_PATH: criuPath(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  let closed = false;
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    closed = true;
    return { code: code ?? null, output };
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const prints = async (pattern: RegExp) => {
    await waitFor(() => closed || pattern.test(output), `${name} prints ${pattern}`);
    const match = pattern.exec(output);
    if (!match) throw new Error(`${name} has ended without ${pattern}:\n${output}`);
    return match;
  };
  return { child, prints, ended };
}

/** Runs a program of examples/ to its end; resolves with its output. */
export async function runExample(
  name: string,
  args: readonly (string | number)[],
): Promise<string> {
  const { code, output } = await (await startExample(name, args)).ended;
  if (code !== 0) throw new Error(`${name} has exited with ${code}:\n${output}`);
  return output;
}
