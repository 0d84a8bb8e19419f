import { resolve } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { buildLibrary } from './built.ts';

const root = resolve(import.meta.dirname, '../..');

/** A command that hangs is killed before its test ends, so that the test reports what it has printed. */
const TIMEOUT_MS = 50_000;

/** The file that is installed as `node-criu`. */
export const main = resolve(root, 'dist/cli/main.js');

/** The exit and the output of the command. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a shell would, with the criu that works here. */
export async function nodeCriu(args: readonly string[], cwd = root): Promise<Ended> {
  const { exitCode, stdout, stderr } = await start(args, cwd);
  return { exitCode, stdout, stderr };
}

/**
 * Starts the command; `stdout()` and `stderr()` return its output so far. It is killed after the test.
 * @param file runs it, with its own path among the arguments
 * @param onFinished is given what kills it: for a command that several tests use
 */
export async function startNodeCriu(
  args: readonly string[],
  file = main,
  onFinished: (kill: () => void) => void = onTestFinished,
) {
  const child = start(args, root, file, onFinished === onTestFinished ? TIMEOUT_MS : 0);
  onFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (text: Buffer) => {
      said[name] += text;
    });
  }
  const ended: Promise<Ended> = child.then(({ exitCode, stdout, stderr }) => ({
    exitCode,
    stdout,
    stderr,
  }));
  const output = { stdout: () => said.stdout, stderr: () => said.stderr };
  return { pid: child.pid as number, ...output, ended };
}

/** Parses the output of `--json`, one object per line. */
export function events(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Builds the command; for beforeAll. */
export async function buildCommand(): Promise<void> {
  await buildLibrary();
}

function start(args: readonly string[], cwd: string, file = main, timeout = TIMEOUT_MS) {
  // vitest sets FORCE_COLOR.
  const env = { CRIU_PATH: criuPath(), FORCE_COLOR: undefined };
  return execa(file, args, { cwd, env, reject: false, timeout, killSignal: 'SIGKILL' });
}
