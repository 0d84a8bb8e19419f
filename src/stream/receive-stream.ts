import { CriuError, invalid } from '../errors.ts';
import { type ReceivedImages, readArchive } from './archive-reader.ts';
import { decompress } from './compression.ts';
import { type StreamEncryption, unseal } from './encryption.ts';

/** What a stream can be read from: a Readable, a ReadableStream, or any other source of bytes. */
export type StreamSource = AsyncIterable<Uint8Array>;

/** Reads a stream to its end, and verifies it. @throws CriuError ERR_CRIU_BAD_IMAGE */
export async function receiveStream(
  operation: string,
  source: StreamSource,
  options: { readonly encryption?: StreamEncryption; readonly maxBytes?: number },
): Promise<ReceivedImages> {
  const bytes = bytesOf(operation, source);
  const chunks = decompress(operation, unseal(operation, bytes, options.encryption));
  try {
    return await readArchive(operation, chunks, options.maxBytes);
  } catch (cause) {
    if (cause instanceof CriuError) throw cause;
    // The source has failed, or what is compressed is damaged.
    const message = `${operation}: the stream cannot be read: ${(cause as Error).message}`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, cause });
  }
}

async function* bytesOf(operation: string, source: StreamSource): AsyncGenerator<Buffer, void> {
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw invalid(operation, 'source', 'bytes', chunk);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}
