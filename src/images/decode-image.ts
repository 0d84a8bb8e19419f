import { invalid } from '../errors.ts';
import { decodeExactly } from '../protobuf/decode.ts';
import { ImageCursor } from './image-cursor.ts';
import { hasSecondWord, headerOf, type ImageKind, kindOfHeader } from './image-kinds.ts';
import { layouts, messageOf } from './image-layouts.ts';
import type { ImageMessages } from './image-messages.ts';
import type { Payload } from './payload.ts';
import { MAX_ENTRY, type QueuedMessage, type TcpQueues } from './payload-formats.ts';

/** What follows the entries of the kinds of images that have more than messages. */
export interface ImagePayloads<Bytes = Payload> {
  /** Keys and values of a map. */
  BPFMAP_DATA: Bytes;
  /** The bytes in a named pipe. */
  FIFO_DATA: Bytes;
  /** A part of a file with holes, or the whole content; undefined for the first entry of a file with holes. */
  GHOST_FILE: Bytes | undefined;
  /** The messages in a queue. */
  IPCNS_MSG: QueuedMessage<Bytes>[];
  /** The values of the semaphores of a set. */
  IPCNS_SEM: number[];
  /** The bytes of a segment; undefined if they are in a pagemap. */
  IPCNS_SHM: Bytes | undefined;
  /** The bytes in a pipe. */
  PIPES_DATA: Bytes;
  /** The bytes of a message in the queue of a socket. */
  SK_QUEUES: Bytes;
  /** The bytes in both queues of a connection. */
  TCP_STREAM: TcpQueues<Bytes>;
}

/** An entry of an image. Its `kind` tells which message and payload it has. */
export type ImageEntry<Kind extends ImageKind = ImageKind, Bytes = Payload> = {
  [Each in Kind]: {
    /** What the image contains. */
    kind: Each;
    /** The entry itself. */
    message: ImageMessages[Each];
    /** What follows the entry in the file, of the kinds in {@link ImagePayloads}. */
    payload: Each extends keyof ImagePayloads ? ImagePayloads<Bytes>[Each] : undefined;
  };
}[Kind];

/** Options of {@link decodeImage}. */
export interface DecodeImageOptions<Kind extends ImageKind = ImageKind> {
  /** The kind that the image must have; by default any. */
  readonly kind?: Kind | undefined;
}

/**
 * Reads the entries of an image of CRIU. Of a file it holds one entry and at most 256 KiB more in memory; an entry
 * that takes more than 64 MiB is refused. Payloads of more than 64 KiB stay in the file until they are read.
 * Numbers of 64 bits are of type bigint, and names that are not UTF-8 have lone surrogates in place of the bytes
 * that do not fit, so that {@link encodeImage} writes the same bytes.
 * @param source path of the file, or its content
 * @throws CriuError ERR_CRIU_BAD_IMAGE, with `path` and `offset`: the file is no image, or is damaged.
 * ERR_CRIU_INVALID_ARGUMENT
 */
export async function* decodeImage<Kind extends ImageKind = ImageKind>(
  source: string | Uint8Array,
  options: DecodeImageOptions<Kind> = {},
): AsyncGenerator<ImageEntry<Kind>, void, undefined> {
  const operation = 'decodeImage';
  const cursor = await open(operation, source);
  try {
    const kind = await readKind(cursor);
    if (options.kind !== undefined && kind !== options.kind) {
      throw cursor.bad(`has entries of kind ${kind}, not ${options.kind}`, 0);
    }
    const layout = layouts[kind];
    for (let index = 0; cursor.remaining > 0; index++) {
      const message = await readMessage(cursor, messageOf(layout, index));
      const payload = await layout.payload?.read(cursor, message);
      yield { kind, message, payload } as ImageEntry<Kind>;
    }
  } finally {
    await cursor.close();
  }
}

/**
 * Reads what kind of entries an image has, of which there may be none.
 * @param source path of the file, or its content
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT
 */
export async function imageKind(source: string | Uint8Array): Promise<ImageKind> {
  const cursor = await open('imageKind', source);
  try {
    return await readKind(cursor);
  } finally {
    await cursor.close();
  }
}

async function open(operation: string, source: string | Uint8Array): Promise<ImageCursor> {
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) {
    throw invalid(operation, 'source', 'a path or the bytes of a file', source);
  }
  return await ImageCursor.open(operation, source);
}

async function readKind(cursor: ImageCursor): Promise<ImageKind> {
  const first = await cursor.word();
  const words = hasSecondWord(first) ? [first, await cursor.word()] : [first];
  const kind = kindOfHeader(words);
  // Images of CRIU before 1.6 have only the second word.
  const isKnown = kind && (words.length === 1 || headerOf(kind)[0] === first);
  if (isKnown) return kind;
  throw cursor.bad(
    'has no entries of a known kind: pages, archives and tables of the network have none',
    0,
  );
}

async function readMessage(
  cursor: ImageCursor,
  type: Parameters<typeof decodeExactly>[0],
): Promise<unknown> {
  const length = await cursor.word();
  if (length > cursor.remaining) throw cursor.truncated(length);
  if (length > MAX_ENTRY) throw cursor.bad(`has an entry of ${length} bytes, which is too long`);
  if (!cursor.has(length)) await cursor.fill(length);
  const { offset } = cursor;
  try {
    return decodeExactly(type, cursor.take(length));
  } catch (cause) {
    const { message } = cause as Error;
    throw cursor.bad(`has a ${type.name} that cannot be decoded: ${message}`, offset, cause);
  }
}
