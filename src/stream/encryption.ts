import { promisify } from 'node:util';
import { builtins } from '../builtins.ts';
import { CriuError } from '../errors.ts';
import { peek } from './compression.ts';

/** How a stream is encrypted: with a key of 32 bytes, or with one that scrypt derives from a passphrase. */
export interface StreamEncryption {
  /** 32 random bytes. Excludes `passphrase`. */
  readonly key?: Uint8Array;
  /** A text of high entropy; each stream derives another key from it. Excludes `key`. */
  readonly passphrase?: string;
}

/*
 * The format: a header of 49 bytes (MAGIC, one byte that says where the key comes from, 32 bytes of salt), then the
 * content in chunks of CHUNK bytes, of which only the last may be shorter. Each is encrypted with AES-256-GCM and
 * followed by its tag. The nonce is the number of the chunk in 11 bytes, and 1 for the last chunk, else 0, so that
 * chunks cannot be left out, repeated or exchanged, and no end is missing (STREAM: Hoang, Reyhanitabar, Rogaway
 * and Vizár, 2015). The key of a stream is derived by HKDF-SHA-256 from the caller's, with the salt, and with the
 * header as info, and is used once.
 */
const MAGIC = Buffer.from('node-criu-enc-1\n');
const FROM_KEY = 0;
const FROM_PASSPHRASE = 1;
const SALT = 32;
const HEADER = MAGIC.length + 1 + SALT;
const CHUNK = 1 << 18;
const TAG = 16;
const CIPHER = 'aes-256-gcm';
/** OWASP's recommendation: 128 MiB of memory, about half a second. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 };

/** Encrypts chunks. */
export async function* seal(
  chunks: AsyncIterable<Buffer>,
  encryption: StreamEncryption,
): AsyncGenerator<Buffer, void> {
  const { crypto } = builtins;
  const source = encryption.key ? FROM_KEY : FROM_PASSPHRASE;
  const header = Buffer.concat([MAGIC, Buffer.from([source]), crypto.randomBytes(SALT)]);
  const key = await keyOf(header, encryption);
  yield header;
  let number = 0;
  for await (const { chunk, isLast } of inChunks(chunks, CHUNK)) {
    const cipher = crypto.createCipheriv(CIPHER, key, nonce(number++, isLast));
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * Decrypts a stream whose first bytes say that it is encrypted, and passes others on.
 * @param what what errors call it
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the stream is encrypted and no key is given, or the reverse;
 * ERR_CRIU_BAD_IMAGE if it was encrypted with another key, or is damaged
 */
export async function* unseal(
  operation: string,
  chunks: AsyncIterable<Buffer>,
  encryption: StreamEncryption | undefined,
  what = 'the stream',
): AsyncGenerator<Buffer, void> {
  const { first, all } = await peek(chunks, HEADER);
  const isEncrypted = first.subarray(0, MAGIC.length).equals(MAGIC);
  if (!isEncrypted && !encryption) {
    yield* all;
    return;
  }
  if (!encryption) {
    throw refused(operation, `${what} is encrypted: give the option encryption with its key`);
  }
  // Somebody may have replaced it by one that needs no key.
  if (!isEncrypted) throw refused(operation, `${what} is not encrypted, or is damaged`);
  const header = first.subarray(0, HEADER);
  const wanted = encryption.key ? FROM_KEY : FROM_PASSPHRASE;
  if (header.length < HEADER || header[MAGIC.length] !== wanted) {
    const secret = wanted === FROM_KEY ? 'a key' : 'a passphrase';
    throw refused(operation, `${what} was not encrypted with ${secret}, or is damaged`);
  }
  const key = await keyOf(header, encryption);
  let number = 0;
  for await (const { chunk, isLast } of inChunks(without(all, HEADER), CHUNK + TAG)) {
    yield decrypted(operation, key, chunk, nonce(number++, isLast), what);
  }
}

function decrypted(
  operation: string,
  key: Buffer,
  chunk: Buffer,
  iv: Buffer,
  what: string,
): Buffer {
  const { crypto } = builtins;
  const at = chunk.length - TAG;
  try {
    const decipher = crypto.createDecipheriv(CIPHER, key, iv, { authTagLength: TAG });
    decipher.setAuthTag(chunk.subarray(at));
    return Buffer.concat([decipher.update(chunk.subarray(0, at)), decipher.final()]);
  } catch (cause) {
    const message = `${operation}: ${what} cannot be decrypted: the key is another one, or it is damaged or ends early`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, cause });
  }
}

async function keyOf(header: Buffer, { key, passphrase }: StreamEncryption): Promise<Buffer> {
  const { crypto } = builtins;
  const salt = header.subarray(-SALT);
  const scrypt = promisify<string, Buffer, number, object, Buffer>(crypto.scrypt);
  const secret = key ?? (await scrypt((passphrase ?? '').normalize('NFC'), salt, 32, SCRYPT));
  return Buffer.from(crypto.hkdfSync('sha256', secret, salt, header, 32));
}

function nonce(number: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(number, 5, 6);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Chunks of one size; the last one, which is also there if there is nothing, may be shorter. */
async function* inChunks(
  chunks: AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<{ chunk: Buffer; isLast: boolean }, void> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const next of chunks) {
    let part: Buffer = next;
    // A full chunk is the last one if nothing follows.
    while (held + part.length > size) {
      parts.push(part.subarray(0, size - held));
      yield { chunk: Buffer.concat(parts), isLast: false };
      part = part.subarray(size - held);
      parts = [];
      held = 0;
    }
    parts.push(part);
    held += part.length;
  }
  yield { chunk: Buffer.concat(parts), isLast: true };
}

async function* without(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer, void> {
  let left = size;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

function refused(operation: string, why: string): CriuError {
  const option = 'encryption';
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', `${operation}: ${why}`, { operation, option });
}
