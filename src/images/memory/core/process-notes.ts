import type { CoreEntry, MmEntry, PstreeEntry } from '../../../generated/images/types.ts';
import { escapedBytes } from '../../../protobuf/escaped-bytes.ts';
import type { MemoryMapping } from '../mappings.ts';
import type { Note } from './elf-format.ts';
import type { Registers } from './registers.ts';

const NT_PRSTATUS = 1;
const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_FILE = 0x46494c45;
const STATUS_HEAD = 112;
const INFO_SIZE = 136;
const NAME_SIZE = 16;
const ARGUMENTS_SIZE = 80;
/** The number of bytes of the command line that a core file has. */
export const MAX_ARGUMENTS = ARGUMENTS_SIZE - 1;

/** The letters of states, of which a process in images is running, or stopped by a signal. */
const STATES = 'RSDTZW';
const STOPPED = 3;

/** A note with the state and the general registers of a thread: `elf_prstatus`. */
export function threadStatus(
  tid: number,
  { ppid, pgid, sid }: PstreeEntry,
  { tc, thread_core }: CoreEntry,
  { general }: Registers,
): Note {
  const content = Buffer.alloc(STATUS_HEAD + 8 * general.length + 8);
  content.writeBigUInt64LE(thread_core?.blk_sigset ?? tc?.blk_sigset ?? 0n, 24);
  for (const [index, id] of [tid, ppid, pgid, sid].entries()) {
    content.writeUInt32LE(id, 32 + 4 * index);
  }
  for (const [index, value] of general.entries()) {
    content.writeBigUInt64LE(value, STATUS_HEAD + 8 * index);
  }
  // There are floating-point registers.
  content.writeUInt32LE(1, STATUS_HEAD + 8 * general.length);
  return { owner: 'CORE', type: NT_PRSTATUS, content };
}

/** A note with the name, the command line and the users of a process: `elf_prpsinfo`. */
export function processInfo(
  { pid, ppid, pgid, sid }: PstreeEntry,
  { tc, thread_core }: CoreEntry,
  commandLine: Buffer,
): Note {
  const content = Buffer.alloc(INFO_SIZE);
  const state = tc?.task_state === STOPPED ? STOPPED : 0;
  content[0] = state;
  content[1] = STATES.charCodeAt(state);
  content.writeInt8(Math.max(-20, Math.min(19, thread_core?.sched_nice ?? 0)), 3);
  content.writeBigUInt64LE(BigInt(tc?.flags ?? 0), 8);
  content.writeUInt32LE(thread_core?.creds?.uid ?? 0, 16);
  content.writeUInt32LE(thread_core?.creds?.gid ?? 0, 20);
  for (const [index, id] of [pid, ppid, pgid, sid].entries()) {
    content.writeUInt32LE(id, 24 + 4 * index);
  }
  const name = escapedBytes(tc?.comm ?? '') ?? Buffer.alloc(0);
  name.copy(content, 40, 0, NAME_SIZE - 1);
  const words = commandLine.map((byte) => (byte === 0 ? 0x20 : byte));
  content.set(words.subarray(0, MAX_ARGUMENTS), 40 + NAME_SIZE);
  return { owner: 'CORE', type: NT_PRPSINFO, content };
}

/** A note with the auxiliary vector. */
export function auxiliaryVector({ mm_saved_auxv: words = [] }: MmEntry): Note {
  const content = Buffer.alloc(8 * words.length);
  for (const [index, word] of words.entries()) content.writeBigUInt64LE(word, 8 * index);
  return { owner: 'CORE', type: NT_AUXV, content };
}

/** A note with the mapped files, by which gdb finds programs and libraries. */
export function mappedFiles(mappings: readonly MemoryMapping[], pageSize: number): Note {
  const files = mappings.filter(({ kind, path }) => kind === 'file' && path !== undefined);
  const words = files.flatMap(({ start, end, offset }) => [start, end, offset / BigInt(pageSize)]);
  const head = [BigInt(files.length), BigInt(pageSize), ...words];
  const bytes = Buffer.alloc(8 * head.length);
  for (const [index, word] of head.entries()) bytes.writeBigUInt64LE(word, 8 * index);
  const names = files.flatMap(({ path = '' }) => [
    escapedBytes(path) ?? Buffer.from(path),
    Buffer.alloc(1),
  ]);
  return { owner: 'CORE', type: NT_FILE, content: Buffer.concat([bytes, ...names]) };
}
