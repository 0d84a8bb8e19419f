import { ipc_msg } from '../generated/images/namespaces.ts';
import type {
  GhostChunkEntry,
  GhostFileEntry,
  IpcMsg,
  IpcMsgEntry,
  IpcSemEntry,
  IpcShmEntry,
  TcpStreamEntry,
} from '../generated/images/types.ts';
import { decodeExactly } from '../protobuf/decode.ts';
import { encodeExactly } from '../protobuf/encode.ts';
import type { ImageCursor } from './image-cursor.ts';
import { wordBytes } from './image-file.ts';
import { type Payload, payloadOf } from './payload.ts';

/** The most that a message and a list of numbers may take, which a decoder holds in memory. */
export const MAX_ENTRY = 64 * 1024 * 1024;

/** Bytes that CRIU writes after a payload so that the next entry is aligned; absent if they are zeros. */
const PADDING: unique symbol = Symbol('padding');
interface Padded {
  [PADDING]?: Buffer;
}

/** What follows an entry. A message without a payload of its own has undefined. */
export interface PayloadFormat {
  read(cursor: ImageCursor, message: unknown): Promise<unknown>;
  /** @throws TypeError if the payload does not fit the message; the error's message follows "the payload" */
  write(message: unknown, payload: unknown): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The bytes of both queues of a TCP connection. */
export interface TcpQueues<Bytes = Payload> {
  /** Bytes that the program has not read yet. */
  inq: Bytes;
  /** Bytes that the other end has not acknowledged yet. */
  outq: Bytes;
}

/** A message in a queue of System V. */
export interface QueuedMessage<Bytes = Payload> {
  /** Its type and size. */
  message: IpcMsg;
  /** Its text. */
  data: Bytes;
}

/** As many bytes as the message says. */
export function bytesOf<Message>(lengthOf: (message: Message) => number): PayloadFormat {
  return {
    read: async (cursor, message) => await cursor.payload(lengthOf(message as Message)),
    write: (message, payload) => written(payload, lengthOf(message as Message)),
  };
}

export const tcpQueues: PayloadFormat = {
  async read(cursor, message): Promise<TcpQueues> {
    const { inq_len, outq_len } = message as TcpStreamEntry;
    return { inq: await cursor.payload(inq_len), outq: await cursor.payload(outq_len) };
  },
  async *write(message, payload) {
    const { inq_len, outq_len } = message as TcpStreamEntry;
    const { inq, outq } = object<TcpQueues<unknown>>(payload);
    yield* written(inq, inq_len);
    yield* written(outq, outq_len);
  },
};

/** A part of a file with holes; or the whole content, which ends with the image. */
export const ghostContent: PayloadFormat = {
  async read(cursor, message) {
    if (isChunk(message)) return await cursor.payload(safe(cursor, message.len));
    if ((message as GhostFileEntry).chunks) return undefined;
    return await cursor.payload(cursor.remaining);
  },
  write(message, payload) {
    if (isChunk(message)) return written(payload, Number(message.len));
    return (message as GhostFileEntry).chunks ? [] : written(payload, undefined);
  },
};

/** The bytes of a segment, unless they are in a pagemap. */
export const sharedMemory: PayloadFormat = {
  async read(cursor, message) {
    const { size, in_pagemaps } = message as IpcShmEntry;
    if (in_pagemaps) return undefined;
    const payload = await cursor.payload(safe(cursor, size));
    await readPadding(cursor, message as Padded, payload.length, 4);
    return payload;
  },
  async *write(message, payload) {
    const { size, in_pagemaps } = message as IpcShmEntry;
    if (in_pagemaps) return;
    yield* written(payload, Number(size));
    yield* padding(message as Padded, Number(size), 4);
  },
};

/** Values of 16 bits. */
export const semaphores: PayloadFormat = {
  async read(cursor, message): Promise<number[]> {
    const { nsems } = message as IpcSemEntry;
    if (2 * nsems > MAX_ENTRY)
      throw cursor.bad(`has a set of ${nsems} semaphores, which is too many`);
    await cursor.fill(2 * nsems);
    const bytes = cursor.take(2 * nsems);
    const values = Array.from({ length: nsems }, (_, index) => bytes.readUInt16LE(2 * index));
    await readPadding(cursor, message as Padded, bytes.length, 8);
    return values;
  },
  *write(message, payload) {
    const { nsems } = message as IpcSemEntry;
    if (!Array.isArray(payload) || payload.length !== nsems) {
      throw new TypeError(`is not an array of ${nsems} numbers`);
    }
    const bytes = Buffer.alloc(2 * nsems);
    for (const [index, value] of payload.entries()) {
      if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
        throw new TypeError(`has a value that is no integer from 0 to 65535`);
      }
      bytes.writeUInt16LE(value, 2 * index);
    }
    yield bytes;
    yield* padding(message as Padded, bytes.length, 8);
  },
};

/** Messages with their texts. */
export const messageQueue: PayloadFormat = {
  async read(cursor, entry): Promise<QueuedMessage[]> {
    const messages: QueuedMessage[] = [];
    const start = cursor.offset;
    for (let left = (entry as IpcMsgEntry).qnum; left > 0; left--) {
      const length = await cursor.word();
      if (cursor.offset + length - start > MAX_ENTRY) {
        throw cursor.bad('has more in one queue than a queue can hold', start);
      }
      await cursor.fill(length);
      const at = cursor.offset;
      const message = decoded(cursor, cursor.take(length), at);
      const data = await cursor.payload(message.msize);
      await readPadding(cursor, message as Padded, message.msize, 8);
      messages.push({ message, data });
    }
    return messages;
  },
  async *write(entry, payload) {
    const { qnum } = entry as IpcMsgEntry;
    if (!Array.isArray(payload) || payload.length !== qnum) {
      throw new TypeError(`is not an array of ${qnum} messages`);
    }
    for (const item of payload) {
      const { message, data } = object<QueuedMessage<unknown>>(item);
      const bytes = encodeExactly(ipc_msg, message, 'a message');
      yield wordBytes(bytes.length);
      yield bytes;
      yield* written(data, message.msize);
      yield* padding(message as Padded, message.msize, 8);
    }
  },
};

function decoded(cursor: ImageCursor, bytes: Buffer, at: number): IpcMsg {
  try {
    return decodeExactly(ipc_msg, bytes);
  } catch (cause) {
    throw cursor.bad(
      `has a message that cannot be decoded: ${(cause as Error).message}`,
      at,
      cause,
    );
  }
}

function isChunk(message: unknown): message is GhostChunkEntry {
  return typeof message === 'object' && message !== null && 'len' in message;
}

/** A length as a number; what is not exact as a number is longer than any file. */
function safe(cursor: ImageCursor, length: bigint): number {
  if (length > BigInt(cursor.remaining)) throw cursor.truncated(Number(length));
  return Number(length);
}

async function readPadding(
  cursor: ImageCursor,
  message: Padded,
  length: number,
  alignment: number,
): Promise<void> {
  const size = paddingSize(length, alignment);
  await cursor.fill(size);
  const bytes = cursor.take(size);
  if (bytes.some((byte) => byte !== 0)) message[PADDING] = Buffer.from(bytes);
}

function* padding(message: Padded, length: number, alignment: number): Iterable<Uint8Array> {
  const size = paddingSize(length, alignment);
  if (size === 0) return;
  const kept = message[PADDING];
  yield kept?.length === size ? kept : Buffer.alloc(size);
}

function paddingSize(length: number, alignment: number): number {
  return (alignment - (length % alignment)) % alignment;
}

/** @param length what the message says; undefined if the payload may have any */
async function* written(payload: unknown, length: number | undefined): AsyncIterable<Uint8Array> {
  const given = object<Payload | Uint8Array>(payload);
  const { length: actual } = given;
  if (length !== undefined && actual !== length) {
    throw new TypeError(`has ${actual} bytes, but its entry says ${length}`);
  }
  yield* payloadOf(given).stream();
}

function object<T>(value: unknown): T {
  if (typeof value !== 'object' || value === null) throw new TypeError('is missing');
  return value as T;
}
