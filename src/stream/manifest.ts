import { crc32 } from 'node:zlib';

/** The name of the manifest in a stream, where it is the last file. */
export const MANIFEST = 'node-criu.json';
const FORMAT = 1;
/** The checksum of everything before it, as the last property. */
const CHECKSUM = /,\n "crc32": "([0-9a-f]{8})"\n\}\n$/;

/** A file of a stream. */
export interface StreamedFile {
  readonly name: string;
  readonly size: number;
  /** The CRC-32 of its content. */
  readonly crc32: number;
}

/** The manifest of these files. */
export function closingManifest(files: readonly StreamedFile[]): Buffer {
  const listed = files.map(({ name, size, crc32 }) => ({ name, size, crc32: hex(crc32) }));
  const body = JSON.stringify({ format: FORMAT, files: listed }, null, 1).slice(0, -2);
  return Buffer.from(`${body},\n "crc32": "${hex(crc32(body))}"\n}\n`);
}

/** Reads a manifest. @throws Error if it is damaged */
export function parseManifest(bytes: Buffer): Map<string, StreamedFile> {
  const text = bytes.toString('latin1');
  const found = CHECKSUM.exec(text);
  if (!found || found[1] !== hex(crc32(bytes.subarray(0, found.index)))) {
    throw new Error('is damaged');
  }
  const { format, files } = JSON.parse(bytes.toString());
  if (format !== FORMAT) throw new Error(`has format ${format}, which this version does not know`);
  return new Map(
    files.map((file: { name: string; size: number; crc32: string }) => [
      file.name,
      { ...file, crc32: Number.parseInt(file.crc32, 16) },
    ]),
  );
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
