import type { FileHandle } from 'node:fs/promises';

/** How much of a file CRIU searches for its build id, in bytes. */
const SEARCH = 1 << 20;

const MAGIC = 0x464c457f;
const CLASS_32 = 1;
const CLASS_64 = 2;
const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
const NOTE_HEADER = 12;
const MAX_SIZE = 512;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

/** True if a file has the build id of which the images have the words. */
export async function hasBuildId(file: FileHandle, words: readonly number[]): Promise<boolean> {
  const expected = Buffer.from(Uint32Array.from(words).buffer);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SEARCH), 0, SEARCH, 0);
  const found = buildIdOf(buffer.subarray(0, bytesRead));
  return found !== undefined && expected.subarray(0, found.length).equals(found);
}

/**
 * Finds the build id of an ELF file of this host's byte order, as CRIU does; undefined without one.
 * Source: CRIU's criu/files-reg.c, get_build_id.
 * @param bytes the beginning of the file
 */
export function buildIdOf(bytes: Buffer): Buffer | undefined {
  try {
    if (bytes.readUInt32LE(0) !== MAGIC) return undefined;
    for (const { type, offset, size } of segmentsOf(bytes)) {
      const found = type === PT_NOTE ? buildIdIn(bytes, offset, size) : undefined;
      if (found) return found;
    }
  } catch (error) {
    // What is beyond the beginning of the file counts as absent.
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/** The program headers: Elf32_Phdr or Elf64_Phdr. */
function segmentsOf(bytes: Buffer): Segment[] {
  const wide = bytes.readUInt8(4) === CLASS_64;
  if (!wide && bytes.readUInt8(4) !== CLASS_32) return [];
  const word = (at: number) => (wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const first = word(wide ? 32 : 28);
  const count = bytes.readUInt16LE(wide ? 56 : 44);
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * (wide ? 56 : 32);
    if (at + (wide ? 56 : 32) > bytes.length) return { type: 0, offset: 0, size: 0 };
    const [offset, size] = wide ? [word(at + 8), word(at + 32)] : [word(at + 4), word(at + 16)];
    return { type: bytes.readUInt32LE(at), offset, size };
  });
}

function buildIdIn(bytes: Buffer, start: number, length: number): Buffer | undefined {
  for (let at = start; at + NOTE_HEADER <= start + length; ) {
    const [nameSize, size, type] = [0, 4, 8].map((offset) => bytes.readUInt32LE(at + offset));
    const content = at + NOTE_HEADER + aligned(nameSize as number);
    if (type === NT_GNU_BUILD_ID) {
      const isValid = (size as number) > 0 && (size as number) <= MAX_SIZE;
      return isValid ? bytes.subarray(content, content + (size as number)) : undefined;
    }
    at = content + aligned(size as number);
  }
  return undefined;
}

const aligned = (size: number) => (size + 3) & ~3;
