import { CriuError, invalid } from '../errors.ts';
import type { Client } from '../operations/client.ts';
import type { DumpOptions } from '../operations/dump.ts';
import type { RestoreOptions } from '../operations/restore.ts';
import {
  type Check,
  callback,
  check,
  checkOptions,
  checkValue,
  object,
  type Shape,
} from '../options/check.ts';
import { integer, oneOf } from '../options/kinds.ts';
import { requireZstd, type StreamCompression } from './compression.ts';
import type { StreamEncryption } from './encryption.ts';

/** Options of a dump that are about directories, or that the streamer's protocol does not know. */
const NOT_IN_A_STREAM = [
  'imagesDirectory',
  'parentImage',
  'trackMem',
  'autoDedup',
  'pageServer',
  'lazyPages',
  'compress',
  'stream',
  'overwrite',
  'durable',
  'keepFailed',
  'insecure',
  'statusFd',
] as const;
/** A stream always has a manifest; a restore may ignore it. */
const NOT_IN_A_DUMP = [...NOT_IN_A_STREAM, 'manifest'] as const;
type NotInAStream = (typeof NOT_IN_A_STREAM)[number];

const MAX_BUFFERED = 256 << 20;
const KEY_SIZE = 32;

/** Options of {@link Criu.dumpStream}: those of a dump that are not about directories, and how the stream is made. */
export interface DumpStreamOptions extends Omit<DumpOptions, NotInAStream | 'manifest'> {
  /**
   * Compress the stream, as fast as possible: the processes are frozen meanwhile. `zstd` needs Node.js 22.15 or
   * newer, or 23.8. Default: not compressed.
   */
  compression?: StreamCompression;
  /** Encrypt the stream with AES-256-GCM, after compression. Default: not encrypted. */
  encryption?: StreamEncryption;
  /**
   * The most bytes that are held in memory of images whose size is not known before they are complete, such as
   * the content of a tmpfs. Memory of the processes counts only up to 64 MiB. Default 256 MiB.
   */
  maxBufferedBytes?: number;
  /**
   * Called when the whole stream has been read, before CRIU ends the processes, which stay frozen until the promise
   * that it returns resolves: wait there until the stream is stored. If it throws, the dump is rolled back, and
   * the processes run on. Default: the dump is done when the stream has been read.
   */
  confirm?: () => unknown;
}

/** Options of {@link Criu.restoreStream}: those of a restore that are not about directories, and how to read. */
export interface RestoreStreamOptions extends Omit<RestoreOptions, NotInAStream> {
  /** The key or passphrase of an encrypted stream. A stream that is not encrypted is then refused. */
  encryption?: StreamEncryption;
  /**
   * The most bytes that the stream may take in memory, where all of it is held before CRIU starts; each image is
   * freed while CRIU reads it. Default: the memory that is free when the restore begins.
   */
  maxBytes?: number;
}

/** Options of {@link decodeStream}. */
export interface DecodeStreamOptions {
  /** The key or passphrase of an encrypted stream. A stream that is not encrypted is then refused. */
  encryption?: StreamEncryption;
}

type OwnDumpOptions = Pick<
  DumpStreamOptions,
  'compression' | 'encryption' | 'maxBufferedBytes' | 'confirm'
>;
type OwnRestoreOptions = Pick<RestoreStreamOptions, 'encryption' | 'maxBytes'>;

const secrets = object<StreamEncryption>({
  key: check(
    `${KEY_SIZE} bytes`,
    (value) => value instanceof Uint8Array && value.length === KEY_SIZE,
  ),
  passphrase: check(
    'a string of at least 8 characters',
    (value) => typeof value === 'string' && value.length >= 8,
  ),
});

/** A key or a passphrase, which errors never quote. */
export const encryption: Check = {
  ...secrets,
  read(operation, option, value) {
    const given = checkValue(operation, option, secrets, value as StreamEncryption);
    if ((given.key === undefined) !== (given.passphrase === undefined)) return given;
    throw invalid(operation, option, 'either key or passphrase', undefined);
  },
};

const dumpShape: Shape<OwnDumpOptions> = {
  compression: oneOf({ gzip: 'gzip', zstd: 'zstd' }),
  encryption,
  maxBufferedBytes: integer(1 << 20, Number.MAX_SAFE_INTEGER),
  confirm: callback,
};
const decodeShape: Shape<DecodeStreamOptions> = { encryption };
const restoreShape: Shape<OwnRestoreOptions> = {
  encryption,
  maxBytes: integer(1, Number.MAX_SAFE_INTEGER),
};

/**
 * Divides the options of a dump into a stream.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function readDumpOptions(
  operation: string,
  given: DumpStreamOptions,
): { own: OwnDumpOptions & { maxBufferedBytes: number }; forDump: DumpOptions } {
  const { compression, encryption, maxBufferedBytes, confirm, ...forDump } = given;
  const own = { compression, encryption, maxBufferedBytes, confirm };
  const checked = checkOptions<OwnDumpOptions>(operation, own as OwnDumpOptions, dumpShape);
  if (checked.compression === 'zstd') requireZstd(operation, 'compression');
  assertStreamable(operation, forDump, NOT_IN_A_DUMP);
  return {
    own: { ...checked, maxBufferedBytes: checked.maxBufferedBytes ?? MAX_BUFFERED },
    forDump,
  };
}

/**
 * Divides the options of a restore from a stream.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function readRestoreOptions(
  operation: string,
  given: RestoreStreamOptions,
): { own: OwnRestoreOptions; forRestore: RestoreOptions } {
  const { encryption, maxBytes, ...forRestore } = given;
  const own = { encryption, maxBytes } as OwnRestoreOptions;
  const checked = checkOptions<OwnRestoreOptions>(operation, own, restoreShape);
  assertStreamable(operation, forRestore, NOT_IN_A_STREAM);
  return { own: checked, forRestore };
}

/**
 * Checks the options of a stream that is only decoded.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function readDecodeOptions(
  operation: string,
  given: DecodeStreamOptions,
): DecodeStreamOptions {
  return checkOptions(operation, given, decodeShape);
}

/** The client without defaults that a stream cannot have. */
export function streamingClient(client: Client, request: 'dump' | 'restore'): Client {
  const names: readonly string[] = request === 'dump' ? NOT_IN_A_DUMP : NOT_IN_A_STREAM;
  const defaults = Object.entries(client.defaults).filter(([name]) => !names.includes(name));
  return { ...client, defaults: Object.fromEntries(defaults) };
}

function assertStreamable(operation: string, options: object, refused: readonly string[]): void {
  for (const option of refused) {
    if ((options as Record<string, unknown>)[option] === undefined) continue;
    const message = `${operation}: takes no option ${option}: the images are only in the stream`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
  }
}
