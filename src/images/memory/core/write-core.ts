import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { asCriuError, invalid } from '../../../errors.ts';
import type { CoreEntry, MmEntry, PstreeEntry } from '../../../generated/images/types.ts';
import { checkOptions, checkValue, required, type Shape } from '../../../options/check.ts';
import { text } from '../../../options/kinds.ts';
import { abortSignal } from '../../../options/operation-options.ts';
import { replaceFile } from '../../../process/replaced-file.ts';
import { decodeImage } from '../../decode-image.ts';
import { damaged } from '../damage.ts';
import { pidNumber } from '../options.ts';
import { ProcessMemory } from '../process-memory.ts';
import { type CoreMemory, type CoreSegment, coreMemory, openFile } from './core-segments.ts';
import { type CoreLayout, layOut, type Note } from './elf-format.ts';
import {
  auxiliaryVector,
  MAX_ARGUMENTS,
  mappedFiles,
  processInfo,
  threadStatus,
} from './process-notes.ts';
import { registersOf } from './registers.ts';

const operation = 'writeCore';
const PIECE = 1024 * 1024;

/** Options of {@link writeCore}. */
export interface WriteCoreOptions {
  /** The process, by the pid that it had in its own pid namespace. */
  readonly pid: number;
  /** The file to write or replace. */
  readonly path: string;
  /** Ends it with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

/** A core file that was written. */
export interface CoreFile {
  /** Its size, in bytes; it has holes where the memory is zeros. */
  readonly size: number;
  /** The number of threads. */
  readonly threads: number;
  /** The paths of mapped files whose pages are not in it, because they are missing here or have changed. */
  readonly missing: readonly string[];
}

const shape: Shape<WriteCoreOptions> = {
  pid: required(pidNumber),
  path: required(text),
  signal: abortSignal,
};

/**
 * Writes a process of a dump as a core file, which gdb and lldb open: for x86_64 and arm64. Pages of mapped files that
 * are not in the images are read from the files, if they have the same size and build id here as at the dump; otherwise
 * the core file lacks them. The file appears, or is replaced, when it is complete; it has the mode 0600.
 * @param directory the images directory
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_SYSTEM; the reason of the signal
 */
export async function writeCore(directory: string, options: WriteCoreOptions): Promise<CoreFile> {
  checkValue(operation, 'directory', text, directory);
  const { pid, path, signal } = checkOptions(operation, options, shape);
  const memory = await ProcessMemory.open(operation, directory, pid);
  try {
    if (memory.mm === undefined) {
      throw damaged(operation, join(directory, `mm-${pid}.img`), 'is missing or empty');
    }
    const content = await coreMemory(memory);
    const { machine, notes, threads } = await notesOf(memory, memory.mm, content);
    const layout = layOut(machine, notes, content.segments, memory.pageSize);
    await replaceFile(path, async (file) => {
      await writeAll(file, layout.head, 0);
      await writeFiles(file, content.segments, layout, signal);
      await writePages(file, memory, content.segments, layout, signal);
      await file.truncate(layout.size);
    });
    return { size: layout.size, threads, missing: content.missing };
  } catch (error) {
    // Only system calls have such errors; another one may be the reason of the signal.
    throw error instanceof Error && 'syscall' in error ? asCriuError(operation, error) : error;
  } finally {
    await memory.close();
  }
}

async function notesOf(memory: ProcessMemory, mm: MmEntry, { mappings }: CoreMemory) {
  const { directory, pid, pageSize } = memory;
  const entry = await treeEntry(directory, pid);
  const length = Math.min(Number(mm.mm_arg_end - mm.mm_arg_start), MAX_ARGUMENTS);
  const commandLine = await memory.read(mm.mm_arg_start, Math.max(0, length));
  // The first thread of a core file is the one that gdb shows.
  const threads = [...new Set([pid, ...(entry.threads ?? [])])];
  const notes: Note[] = [];
  let machine = 0;
  for (const tid of threads) {
    const core = await coreOf(directory, tid);
    const registers = registersOf(core);
    if (registers === undefined) {
      throw invalid(operation, 'pid', 'a process of x86_64 or arm64, of 64 bits', pid);
    }
    machine = registers.machine;
    notes.push(threadStatus(tid, entry, core, registers));
    if (tid === pid) {
      notes.push(processInfo(entry, core, commandLine));
      notes.push(auxiliaryVector(mm), mappedFiles(mappings, pageSize));
    }
    notes.push(...registers.notes);
  }
  return { machine, notes, threads: threads.length };
}

async function treeEntry(directory: string, pid: number): Promise<PstreeEntry> {
  const path = join(directory, 'pstree.img');
  for await (const { message } of decodeImage(path, { kind: 'PSTREE' })) {
    if (message.pid === pid) return message;
  }
  throw damaged(operation, path, `has no process ${pid}`);
}

async function coreOf(directory: string, tid: number): Promise<CoreEntry> {
  const path = join(directory, `core-${tid}.img`);
  for await (const { message } of decodeImage(path, { kind: 'CORE' })) return message;
  throw damaged(operation, path, 'has no entries');
}

/** Writes what the mapped files have, which pages of the images then replace. */
async function writeFiles(
  target: FileHandle,
  segments: readonly CoreSegment[],
  { offsets }: CoreLayout,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(PIECE);
  for (const [index, { file, stored }] of segments.entries()) {
    if (file === undefined) continue;
    const source = await openFile(file.path);
    if (source === undefined) continue;
    try {
      for (let at = 0; at < stored; ) {
        signal?.throwIfAborted();
        const length = Math.min(PIECE, stored - at);
        const { bytesRead } = await source.read(buffer, 0, length, Number(file.offset) + at);
        // What is mapped beyond the end of the file cannot be read by the process either.
        if (bytesRead === 0) break;
        await writeAll(target, buffer.subarray(0, bytesRead), (offsets[index] as number) + at);
        at += bytesRead;
      }
    } finally {
      await source.close();
    }
  }
}

async function writePages(
  target: FileHandle,
  memory: ProcessMemory,
  segments: readonly CoreSegment[],
  { offsets }: CoreLayout,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const [index, { start, stored }] of segments.entries()) {
    if (stored === 0) continue;
    const end = start + BigInt(stored);
    for await (const extent of memory.extents(start, end)) {
      if (!extent.isPresent) continue;
      for await (const { address, bytes } of extent.read()) {
        signal?.throwIfAborted();
        await writeAll(target, bytes, (offsets[index] as number) + Number(address - start));
      }
    }
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at;
    at += (await file.write(bytes, at, left, position + at)).bytesWritten;
  }
}
