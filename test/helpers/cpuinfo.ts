import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';

/** Fields of CRIU's cpuinfo_x86_entry: bits of features, and of what XSAVE saves. */
export const CAPABILITY = 6;
export const XFEATURES_MASK = 8;

/** Changes the values of a field in cpuinfo.img. */
export async function doctor(
  directory: string,
  field: number,
  change: (value: bigint) => bigint,
): Promise<void> {
  const image = join(directory, 'cpuinfo.img');
  const before = await readFile(image);
  // Two magic numbers and a size; then the one field of the message, which is a message itself.
  const outer = new Reader(before.subarray(12));
  outer.varint();
  const entry = new Reader(outer.take(Number(outer.varint())));
  const fields: Buffer[] = [];
  let changed = 0;
  while (!entry.atEnd) {
    const tag = entry.varint();
    const isNumber = (tag & 7n) === 0n;
    const value = entry.varint();
    const found = isNumber && tag >> 3n === BigInt(field);
    if (found) changed++;
    fields.push(varint(tag), varint(found ? change(value) : value));
    if (!isNumber) fields.push(entry.take(Number(value)));
  }
  expect(changed).toBeGreaterThan(0);
  const message = Buffer.concat(fields);
  const whole = Buffer.concat([Buffer.of(0x0a), varint(BigInt(message.length)), message]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(whole.length);
  await writeFile(image, Buffer.concat([before.subarray(0, 8), size, whole]));
}

/** Reads what protobuf writes, of the two kinds of field that this image has. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const last = rest < 0x80n;
    bytes.push(Number(rest & 0x7fn) | (last ? 0 : 0x80));
    if (last) return Buffer.from(bytes);
  }
}
