import { open } from 'node:fs/promises';
import { CriuError, invalid } from '../../errors.ts';
import { damaged } from '../memory/damage.ts';
import type { MemoryExtent } from '../memory/memory-chain.ts';
import { ProcessMemory, pidsWithMemory } from '../memory/process-memory.ts';

/** The most that the environment of a process takes: what the kernel allows, in bytes. */
const MAX_SIZE = 8n * 1024n * 1024n;

/** A variable that has another value in the new images. */
export interface EditedVariable {
  /** The process, by the pid that it had in its own pid namespace. */
  readonly pid: number;
  readonly name: string;
}

/** Bytes of memory that are replaced. */
export interface MemoryPatch extends EditedVariable {
  readonly address: bigint;
  readonly bytes: Buffer;
}

/**
 * Finds the variables in the memory of the processes, and what to write there.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT for a variable that no process has, or whose value does not fit;
 * ERR_CRIU_BAD_IMAGE
 */
export async function environmentPatches(
  operation: string,
  directory: string,
  variables: Readonly<Record<string, string>>,
): Promise<MemoryPatch[]> {
  const names = Object.keys(variables);
  if (names.length === 0) return [];
  const patches: MemoryPatch[] = [];
  for (const pid of await pidsWithMemory(operation, directory)) {
    const memory = await ProcessMemory.open(operation, directory, pid);
    try {
      const area = await environmentOf(operation, memory);
      if (area === undefined) continue;
      for (const name of names) {
        const value = variables[name] as string;
        patches.push(...patchesOf(operation, { ...area, pid, name, value }));
      }
    } finally {
      await memory.close();
    }
  }
  const missing = names.find((name) => !patches.some((patch) => patch.name === name));
  if (missing === undefined) return patches;
  const option = `environment.${missing}`;
  const why = 'no process has this variable in its environment, as far as that is in the images';
  const message = `${operation}: ${option}: ${why}`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
}

/** Writes the patches into images whose pages are neither compressed nor in parents. */
export async function applyPatches(
  operation: string,
  directory: string,
  patches: readonly MemoryPatch[],
): Promise<void> {
  for (const { pid, address, bytes } of patches) {
    const memory = await ProcessMemory.open(operation, directory, pid);
    try {
      for await (const extent of memory.extents(address, address + BigInt(bytes.length))) {
        await writeInto(extent, address, bytes);
      }
    } finally {
      await memory.close();
    }
  }
}

/** The part of the stack that had the environment when the program began. */
async function environmentOf(operation: string, memory: ProcessMemory) {
  const { mm, directory } = memory;
  if (mm === undefined) return undefined;
  const { mm_env_start: start, mm_env_end: end } = mm;
  if (end <= start) return undefined;
  if (end - start > MAX_SIZE) {
    throw damaged(operation, directory, `has an environment of ${end - start} bytes`);
  }
  // Pages that are not in the images cannot be changed.
  let present = start;
  for await (const extent of memory.extents(start, end)) {
    if (extent.isPresent && extent.start <= present) present = extent.end;
  }
  if (present < end) return undefined;
  return { start, bytes: await memory.read(start, Number(end - start)) };
}

interface Search {
  readonly start: bigint;
  readonly bytes: Buffer;
  readonly pid: number;
  readonly name: string;
  readonly value: string;
}

function patchesOf(operation: string, { start, bytes, pid, name, value }: Search): MemoryPatch[] {
  const patches: MemoryPatch[] = [];
  const key = Buffer.from(`${name}=`);
  const wanted = Buffer.from(value);
  for (let at = 0; at < bytes.length; ) {
    const end = indexOrEnd(bytes, at);
    // Zeros after a value are space that an earlier, longer one had.
    let next = end;
    while (next < bytes.length && bytes[next] === 0) next++;
    if (bytes.subarray(at, at + key.length).equals(key)) {
      const from = at + key.length;
      const space = next - 1 - from;
      if (wanted.length > space) {
        const takes = `at most ${space} bytes, the space that it has in process ${pid}`;
        throw invalid(operation, `environment.${name}`, takes, value);
      }
      const replaced = Buffer.alloc(Math.max(end - from, wanted.length));
      wanted.copy(replaced);
      patches.push({ pid, name, address: start + BigInt(from), bytes: replaced });
    }
    at = next;
  }
  return patches;
}

function indexOrEnd(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(0, from);
  return at < 0 ? bytes.length : at;
}

async function writeInto(extent: MemoryExtent, address: bigint, bytes: Buffer): Promise<void> {
  const end = address + BigInt(bytes.length);
  const from = extent.start > address ? extent.start : address;
  const to = extent.end < end ? extent.end : end;
  const position = (extent.fileOffset as number) + Number(from - extent.start);
  const part = bytes.subarray(Number(from - address), Number(to - address));
  const file = await open(extent.level.path, 'r+');
  try {
    await file.write(part, 0, part.length, position);
  } finally {
    await file.close();
  }
}
