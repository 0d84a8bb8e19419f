import { type FileHandle, open } from 'node:fs/promises';
import { endOfArchive, padding } from '../../stream/tar.ts';
import { encodeEntryHeader, type TarEntry } from './tar-entry.ts';

/** An entry to be written, and where the content of a file comes from. */
export interface NewTarEntry {
  readonly entry: TarEntry;
  /** As many bytes as the size of the entry. */
  readonly content?: AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** How much of a file is read at a time. */
const CHUNK = 1 << 20;

/** The bytes of a tar archive. @throws Error if the content of an entry has not its size */
export async function* tarOf(entries: AsyncIterable<NewTarEntry>): AsyncGenerator<Buffer, void> {
  for await (const { entry, content = [] } of entries) {
    yield encodeEntryHeader(entry);
    let left = entry.size;
    for await (const chunk of content) {
      left -= chunk.length;
      if (left < 0) break;
      yield chunk;
    }
    if (left !== 0) throw new Error(`${entry.path} changed while it was read`);
    const zeros = padding(entry.size);
    if (zeros > 0) yield Buffer.alloc(zeros);
  }
  yield endOfArchive();
}

/** Reads a file, as far as it was long at the beginning. */
export async function* fileChunks(file: FileHandle, size: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Opens a file when it is first read, and closes it after that. */
export async function* chunksOfFile(path: string, size = Infinity): AsyncGenerator<Buffer, void> {
  await using file = await open(path);
  yield* fileChunks(file, Math.min(size, (await file.stat()).size));
}
