// The format of core files of 64 bits, little endian.
// Source: the ELF specification, and Linux's include/uapi/linux/elf.h.

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const SECTION_HEADER_SIZE = 64;
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** More program headers than fit into the header: the first section header has their number. */
const PN_XNUM = 0xffff;

/** A part of the memory. */
export interface Segment {
  readonly start: bigint;
  readonly end: bigint;
  /** How many bytes from `start` on the file has. */
  readonly stored: number;
  /** The bits of PROT_READ, PROT_WRITE and PROT_EXEC. */
  readonly prot: number;
}

/** A note about a process or a thread. */
export interface Note {
  readonly owner: 'CORE' | 'LINUX';
  readonly type: number;
  readonly content: Buffer;
}

/** The beginning of a core file, and where each segment is in it. */
export interface CoreLayout {
  readonly head: Buffer;
  readonly offsets: readonly number[];
  readonly size: number;
}

/** @param machine the number of the processor architecture */
export function layOut(
  machine: number,
  notes: readonly Note[],
  segments: readonly Segment[],
  pageSize: number,
): CoreLayout {
  const count = segments.length + 1;
  const isLong = count >= PN_XNUM;
  const notesAt = HEADER_SIZE + count * PROGRAM_HEADER_SIZE + (isLong ? SECTION_HEADER_SIZE : 0);
  const noteBytes = Buffer.concat(notes.map(noteOf));
  let size = alignedTo(notesAt + noteBytes.length, pageSize);
  const offsets = segments.map(({ stored }) => {
    const offset = size;
    size += alignedTo(stored, pageSize);
    return offset;
  });
  const sections = isLong ? [sectionHeader(count)] : [];
  const note = { type: PT_NOTE, flags: 0, offset: notesAt, address: 0n, align: 4n };
  const sizes = { stored: BigInt(noteBytes.length), size: 0n };
  const head = Buffer.concat([
    header(machine, count, isLong),
    programHeader({ ...note, ...sizes }),
    ...segments.map(({ start, end, stored, prot }, index) =>
      programHeader({
        ...{ type: PT_LOAD, flags: flagsOf(prot), offset: offsets[index] as number },
        ...{ address: start, stored: BigInt(stored), size: end - start, align: BigInt(pageSize) },
      }),
    ),
    ...sections,
    noteBytes,
  ]);
  return { head, offsets, size };
}

function header(machine: number, count: number, isLong: boolean): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE);
  // Magic, class 64, little endian, version.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(ET_CORE, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(HEADER_SIZE), 32);
  if (isLong) bytes.writeBigUInt64LE(BigInt(HEADER_SIZE + count * PROGRAM_HEADER_SIZE), 40);
  bytes.writeUInt16LE(HEADER_SIZE, 52);
  bytes.writeUInt16LE(PROGRAM_HEADER_SIZE, 54);
  bytes.writeUInt16LE(Math.min(count, PN_XNUM), 56);
  bytes.writeUInt16LE(isLong ? SECTION_HEADER_SIZE : 0, 58);
  bytes.writeUInt16LE(isLong ? 1 : 0, 60);
  return bytes;
}

/** The section that only has the number of program headers. */
function sectionHeader(count: number): Buffer {
  const bytes = Buffer.alloc(SECTION_HEADER_SIZE);
  bytes.writeBigUInt64LE(1n, 32);
  bytes.writeUInt32LE(count, 44);
  return bytes;
}

function programHeader(fields: {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: bigint;
  readonly stored: bigint;
  readonly size: bigint;
  readonly align: bigint;
}): Buffer {
  const bytes = Buffer.alloc(PROGRAM_HEADER_SIZE);
  bytes.writeUInt32LE(fields.type, 0);
  bytes.writeUInt32LE(fields.flags, 4);
  bytes.writeBigUInt64LE(BigInt(fields.offset), 8);
  bytes.writeBigUInt64LE(fields.address, 16);
  bytes.writeBigUInt64LE(fields.stored, 32);
  bytes.writeBigUInt64LE(fields.size, 40);
  bytes.writeBigUInt64LE(fields.align, 48);
  return bytes;
}

function noteOf({ owner, type, content }: Note): Buffer {
  const bytes = Buffer.alloc(20 + alignedTo(content.length, 4));
  bytes.writeUInt32LE(owner.length + 1, 0);
  bytes.writeUInt32LE(content.length, 4);
  bytes.writeUInt32LE(type, 8);
  bytes.write(owner, 12, 'latin1');
  content.copy(bytes, 20);
  return bytes;
}

/** Readable is 1 as a protection, and 4 in a core file; executable the other way round. */
function flagsOf(prot: number): number {
  return ((prot & 1) << 2) | (prot & 2) | ((prot & 4) >> 2);
}

function alignedTo(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}
