import type { DescribedMapping, DescribedProcess } from '../images.ts';

/** What memory is for, as far as the mappings show it. */
export type MemoryClass =
  | 'v8-heap'
  | 'native'
  | 'stacks'
  | 'code'
  | 'files'
  | 'shared'
  | 'other'
  | 'unknown';

/** The names for a person, in the order of the legend. */
export const memoryClasses: Readonly<Record<MemoryClass, string>> = {
  'v8-heap': 'V8 heap',
  native: 'Buffers and native heap',
  code: 'Code',
  stacks: 'Stacks',
  files: 'Mapped files',
  shared: 'Shared memory',
  other: 'Other',
  unknown: 'Not known',
};

/** Programs and libraries with a V8. */
const V8 = /(^|\/)(node(js)?|deno|electron|chrom(e|ium)|libnode\.so[\d.]*|libv8[^/]*)$/;
/** V8 aligns the chunks of its heap to this, in bytes; only the last digits of an address matter. */
const V8_CHUNK = 256 << 10;
/** Allocators of C libraries give threads arenas that are aligned to this, in bytes. */
const ARENA = 64 << 20;
/** The largest guard below the stack of a thread, in bytes. */
const MAX_GUARD = 64 << 10;

/**
 * The class of each mapping of a process. The images do not say who uses anonymous memory, so that it is recognised by
 * its place: V8 aligns its chunks, and stacks of threads have a guard below them.
 */
export function classesOf({ mappings, program }: DescribedProcess): MemoryClass[] {
  const hasV8 =
    V8.test(program ?? '') || mappings.some(({ path }) => path !== undefined && V8.test(path));
  return mappings.map((mapping, index) => classOf(mapping, mappings[index - 1], hasV8));
}

function classOf(
  mapping: DescribedMapping,
  before: DescribedMapping | undefined,
  hasV8: boolean,
): MemoryClass {
  const isExecutable = mapping.protection[2] === 'x';
  switch (mapping.kind) {
    case 'stack':
    case 'shadow-stack':
      return 'stacks';
    case 'heap':
      return 'native';
    case 'file':
      return isExecutable ? 'code' : 'files';
    case 'shared':
    case 'memfd':
    case 'sysv':
      return 'shared';
    case 'anonymous':
      if (isExecutable) return 'code';
      if (isGuardOf(before, mapping)) return 'stacks';
      return hasV8 && isAligned(mapping, V8_CHUNK) && !isAligned(mapping, ARENA)
        ? 'v8-heap'
        : 'native';
    default:
      return 'other';
  }
}

function isGuardOf(before: DescribedMapping | undefined, { start }: DescribedMapping): boolean {
  return before?.end === start && before.protection.startsWith('---') && before.size <= MAX_GUARD;
}

function isAligned({ start }: DescribedMapping, size: number): boolean {
  return Number.parseInt(start.slice(2).slice(-8), 16) % size === 0;
}
