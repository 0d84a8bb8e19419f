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
  try {
    const chunks = plainChunks(operation, source, options.encryption);
    return await readArchive(operation, chunks, options.maxBytes);
  } catch (cause) {
    throw unreadable(operation, cause);
  }
}

/** The archive in a stream, decrypted and decompressed. */
export function plainChunks(
  operation: string,
  source: StreamSource,
  encryption: StreamEncryption | undefined,
): AsyncGenerator<Buffer, void> {
  return decompress(operation, unseal(operation, bytesOf(operation, source), encryption));
}

/** The error of a stream whose source has failed, or whose compression is damaged. Passes a CriuError on. */
export function unreadable(operation: string, cause: unknown): CriuError {
  if (cause instanceof CriuError) return cause;
  const message = `${operation}: the stream cannot be read: ${(cause as Error).message}`;
  return new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, cause });
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function assertSource(operation: string, source: StreamSource): void {
  if (typeof source?.[Symbol.asyncIterator] === 'function') return;
  throw invalid(operation, 'source', 'a Readable, or another source of bytes', source);
}

async function* bytesOf(operation: string, source: StreamSource): AsyncGenerator<Buffer, void> {
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw invalid(operation, 'source', 'bytes', chunk);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}
