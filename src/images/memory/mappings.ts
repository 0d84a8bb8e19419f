import type { MmEntry, VmaEntry } from '../../generated/images/types.ts';
import type { MappedFile } from './mapped-files.ts';

// Bits of the status of a mapping. Source: CRIU's criu/include/image.h.
const FILE_PRIVATE = 1 << 6;
const FILE_SHARED = 1 << 7;
const ANON_SHARED = 1 << 8;
const MEMFD = 1 << 14;
const GUARD = 1 << 16;

const MAP_SHARED = 1;

/** CRIU treats shared memory without a name as a file in memory of this name. */
const UNNAMED = 'memfd:/dev/zero';

/** What a mapping is; `shared` is anonymous memory that processes share. */
export type MappingKind =
  | 'heap'
  | 'stack'
  | 'anonymous'
  | 'shared'
  | 'file'
  | 'memfd'
  | 'sysv'
  | 'aio'
  | 'socket'
  | 'vdso'
  | 'vvar'
  | 'vsyscall'
  | 'shadow-stack'
  | 'other';

/** A mapping of a dumped process. */
export interface MemoryMapping {
  /** The address of its first byte. */
  readonly start: bigint;
  /** The address after its last byte. */
  readonly end: bigint;
  /** Read, write, execute, and private or shared, as in /proc/PID/maps: `r-xp`. */
  readonly protection: string;
  /** What it is. */
  readonly kind: MappingKind;
  /** The path of the mapped file, or the name of the memfd; undefined for other kinds. */
  readonly path: string | undefined;
  /** Where the mapping begins in the file or in the shared memory, in bytes; 0 for other kinds. */
  readonly offset: bigint;
}

/** Bits of the status, the most telling first. */
const kinds: readonly (readonly [number, MappingKind])[] = [
  [1 << 5, 'heap'],
  [1 << 3, 'vdso'],
  [1 << 12, 'vvar'],
  [1 << 2, 'vsyscall'],
  [1 << 15, 'shadow-stack'],
  [MEMFD, 'memfd'],
  [1 << 13, 'aio'],
  [1 << 10, 'sysv'],
  [1 << 11, 'socket'],
  [FILE_PRIVATE | FILE_SHARED, 'file'],
  [ANON_SHARED, 'shared'],
  [1 << 9, 'anonymous'],
];

/** The mappings of a process, without the ranges that CRIU notes only as guards, in the order of addresses. */
export function realMappings(vmas: readonly VmaEntry[] = []): VmaEntry[] {
  return vmas
    .filter(({ status, start, end }) => !(status & GUARD) && start < end)
    .sort((one, other) => (one.start < other.start ? -1 : 1));
}

/**
 * @param files the mapped files by their ids
 * @param mm the address space
 */
export function mappingOf(
  vma: VmaEntry,
  files: ReadonlyMap<number, MappedFile>,
  mm: MmEntry | undefined,
): MemoryMapping {
  const { start, end, pgoff } = vma;
  const id = fileIdOf(vma);
  const path = id === undefined ? undefined : files.get(id)?.path;
  const marked = kindOf(vma, mm);
  const isUnnamed = marked === 'memfd' && path === UNNAMED;
  return {
    ...{ start, end, protection: protectionOf(vma) },
    kind: isUnnamed ? 'shared' : marked,
    path: isUnnamed ? undefined : path,
    offset: id === undefined && sharedIdOf(vma, files) === undefined ? 0n : pgoff,
  };
}

/** What a mapping is, by its marks in the images. */
export function kindOf({ start, end, status }: VmaEntry, mm: MmEntry | undefined): MappingKind {
  const kind = kinds.find(([bits]) => (status & bits) !== 0)?.[1] ?? 'other';
  if (kind !== 'anonymous' || mm === undefined) return kind;
  // CRIU marks neither the stack nor all of the heap.
  if (start <= mm.mm_start_stack && mm.mm_start_stack < end) return 'stack';
  return start < mm.mm_brk && mm.mm_start_brk < end ? 'heap' : kind;
}

/** Its protection as in /proc/PID/maps. */
export function protectionOf({ prot, flags }: VmaEntry): string {
  const letters = ['r', 'w', 'x'].map((letter, bit) => (prot & (1 << bit) ? letter : '-'));
  return `${letters.join('')}${flags & MAP_SHARED ? 's' : 'p'}`;
}

/** The id of the file that is mapped; undefined for other mappings. */
export function fileIdOf({ status, shmid }: VmaEntry): number | undefined {
  return status & (FILE_PRIVATE | FILE_SHARED) ? Number(shmid) : undefined;
}

/** The number of the shared memory that is mapped, which is in the name of its pagemap; undefined for others. */
export function sharedIdOf(
  { status, shmid, flags }: VmaEntry,
  files: ReadonlyMap<number, MappedFile>,
): number | undefined {
  if (status & ANON_SHARED) return Number(shmid);
  return status & MEMFD && flags & MAP_SHARED ? files.get(Number(shmid))?.shared : undefined;
}

/** True for a file in memory. */
export function isMemfd({ status }: VmaEntry): boolean {
  return (status & MEMFD) !== 0;
}

/** True if the mapping has the content of a file of the file system. */
export function isRegularFile(vma: VmaEntry): boolean {
  return fileIdOf(vma) !== undefined && !isMemfd(vma);
}
