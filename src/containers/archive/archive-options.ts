import { check, checkOptions, either, type Shape } from '../../options/check.ts';
import { integer, text } from '../../options/kinds.ts';

/** Where a checkpoint archive is read from: a file, or a stream such as standard input. */
export type ArchiveSource = string | AsyncIterable<Uint8Array>;

/** Options of {@link readCheckpointArchive} and {@link inspectCheckpointArchive}. */
export interface ReadArchiveOptions {
  /**
   * The most bytes that the members may have in all, decompressed. Default: the free space of the file system
   * that they are unpacked into; without a limit if nothing is unpacked.
   */
  maxBytes?: number;
  /** The most entries that the archive may have. Default 100 000. */
  maxEntries?: number;
  /** Cancels the operation with ERR_CRIU_ABORTED. */
  signal?: AbortSignal;
}

const MAX_ENTRIES = 100_000;

/** A signal to cancel an operation. */
export const abortSignal = check('an AbortSignal', (value) => value instanceof AbortSignal);

const isStream = (value: unknown) =>
  typeof (value as Partial<AsyncIterable<Uint8Array>> | null)?.[Symbol.asyncIterator] ===
  'function';

/** A file, or a stream of its bytes. */
export const archiveSource = either(text, check('a stream of bytes', isStream));

const shape: Shape<ReadArchiveOptions> = {
  maxBytes: integer(0, Number.MAX_SAFE_INTEGER),
  maxEntries: integer(1, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
};

/** Checks the options. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function readArchiveOptions(operation: string, given: ReadArchiveOptions) {
  const { maxBytes, maxEntries = MAX_ENTRIES, signal } = checkOptions(operation, given, shape);
  return { maxBytes, maxEntries, signal };
}
