import { readlink } from 'node:fs/promises';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { type Program, startProgram, waitFor } from './workload.ts';

let made = 0;

/** Creates a network namespace with a loopback device and returns its file. It is removed after the test. */
export async function networkNamespace(): Promise<string> {
  const name = `node-criu-${process.pid}-${++made}`;
  await execa('ip', ['netns', 'add', name]);
  onTestFinished(async () => {
    await execa('ip', ['netns', 'del', name]);
  });
  await execa('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  return `/run/netns/${name}`;
}

/** The namespace of a process, such as `net:[123]`. */
export async function namespaceOf(pid: number | 'self', kind: string): Promise<string> {
  return await readlink(`/proc/${pid}/ns/${kind}`);
}

/** Starts a program through one that changes its namespaces and then executes it. */
export async function startThrough(
  [changer = '', ...changes]: readonly string[],
  file: string,
  args: readonly string[] = [],
  options: Parameters<typeof startProgram>[2] = {},
): Promise<Program> {
  const program = await startProgram(changer, [...changes, file, ...args], options);
  await hasBecome(program.pid, file);
  return program;
}

/** Resolves when a process that executes programs one after the other has come to this one. */
export async function hasBecome(pid: number, file: string): Promise<void> {
  const runs = async () => (await readlink(`/proc/${pid}/exe`).catch(() => '')) === file;
  await waitFor(runs, `process ${pid} has become ${file}`);
}
