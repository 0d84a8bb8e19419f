import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../options/check.ts';
import { parseRuntimeState, type RuntimeState } from './runtime-state.ts';

/** Where runc looks for what the standard streams of the container were. */
const DESCRIPTORS = 'descriptors.json';
/** The state of the container at the dump, for a restore without a runtime. */
const RECORD = 'container.json';

/** Writes what a restore needs to know about the container beside CRIU's images. */
export async function writeContainerRecord(directory: string, state: RuntimeState): Promise<void> {
  await writeDurably(join(directory, DESCRIPTORS), state.descriptors);
  // A container that was restored without its state has none to keep.
  if (Object.keys(state.json).length === 0) return;
  await writeDurably(join(directory, RECORD), { version: 1, runtimeState: state.json });
}

/** The state of the container at the dump; undefined if another program has dumped it. */
export async function readContainerRecord(directory: string): Promise<RuntimeState | undefined> {
  const record = await readJson(join(directory, RECORD));
  if (record === undefined) return undefined;
  if (!isRecord(record)) throw new Error(`${RECORD} is not an object`);
  return parseRuntimeState(record.runtimeState);
}

/** What the standard streams of the container were, such as `pipe:[123]`; undefined if that was not written. */
export async function readDescriptors(directory: string): Promise<string[] | undefined> {
  const names = await readJson(join(directory, DESCRIPTORS));
  if (names === undefined) return undefined;
  if (!Array.isArray(names)) throw new Error(`${DESCRIPTORS} is not a list`);
  return names.map(String);
}

/** The standard streams that are pipes, each once: their names, as CRIU has them. */
export function pipesOf(descriptors: readonly string[]): string[] {
  return [...new Set(descriptors.filter((name) => name.startsWith('pipe:')))];
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : JSON.parse(text);
}

async function writeDurably(path: string, value: unknown): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
}
