import { ArchiveWriter } from '../../src/stream/archive-writer.ts';
import { ChunkQueue } from '../../src/stream/chunk-queue.ts';
import type { StreamEncryption } from '../../src/stream/encryption.ts';
import { receiveStream } from '../../src/stream/receive-stream.ts';

/** The archive of these files, as a stream. */
export function archiveOf(files: Readonly<Record<string, Buffer>>): AsyncIterable<Buffer> {
  const queue = new ChunkQueue(() => {});
  const archive = new ArchiveWriter(queue);
  const writing = async () => {
    for (const [name, content] of Object.entries(files)) {
      await archive.write(name, content.length, [content]);
    }
    await archive.finish();
  };
  writing().catch((error) => queue.fail(error));
  return queue;
}

/** Everything that a stream has, in one piece. */
export async function wholeOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Reads a stream as a restore does; resolves with the content of its files. */
export async function receive(
  bytes: Uint8Array,
  options: { encryption?: StreamEncryption; maxBytes?: number; chunk?: number } = {},
): Promise<Record<string, Buffer>> {
  const { chunk = 1000, ...given } = options;
  const files = await receiveStream('restoreStream', inPieces(bytes, chunk), given);
  return Object.fromEntries([...files].map(([name, chunks]) => [name, Buffer.concat(chunks)]));
}

/** A stream that delivers bytes in pieces of this size. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}
