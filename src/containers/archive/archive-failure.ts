import { asCriuError, CriuError } from '../../errors.ts';
import { BadStream } from '../../stream/byte-input.ts';

/**
 * The error of an operation on an archive: ERR_CRIU_BAD_IMAGE if the archive is damaged, and ERR_CRIU_SYSTEM if
 * a system call failed.
 * @param what the archive, as the message names it
 */
export function archiveFailure(operation: string, what: string, error: unknown): CriuError {
  if (error instanceof BadStream) return badArchive(operation, what, error.message, error.offset);
  const { code = '', message } = error as NodeJS.ErrnoException;
  // Errors of node:zlib, and the end of compressed data before its time.
  if (/^(Z_|ZSTD_)/.test(code)) return badArchive(operation, what, message);
  return asCriuError(operation, error);
}

/** The error for an archive that is damaged, or is not what it should be. */
export function badArchive(
  operation: string,
  what: string,
  why: string,
  offset?: number,
): CriuError {
  const message = `${operation}: ${what}: ${why}`;
  const details = offset === undefined ? { operation } : { operation, offset };
  return new CriuError('ERR_CRIU_BAD_IMAGE', message, details);
}

/** Passes chunks on until a signal is aborted. @throws CriuError ERR_CRIU_ABORTED */
export async function* untilAborted(
  operation: string,
  signal: AbortSignal | undefined,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void> {
  for await (const chunk of chunks) {
    if (signal?.aborted) {
      const message = `${operation}: cancelled by the signal`;
      throw new CriuError('ERR_CRIU_ABORTED', message, { operation, cause: signal.reason });
    }
    yield Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}
