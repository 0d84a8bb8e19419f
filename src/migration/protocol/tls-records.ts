import type { CipherGCMTypes } from 'node:crypto';
import { builtins } from '../../builtins.ts';

/** The type, version and length of a record. */
const HEADER_SIZE = 5;
const TAG_SIZE = 16;
const IV_SIZE = 12;
const MAX_RECORD_SIZE = HEADER_SIZE + 16_384 + 256;
/** The types of records: change_cipher_spec, alert, handshake, application_data. */
const TYPES = [20, 21, 22, 23];
const ENCRYPTED = 23;
/** More than a handshake sends with any sensible certificates. */
const MAX_KEPT_BYTES = 1 << 17;

/** A cipher suite of TLS 1.3. */
export interface Suite {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly keySize: number;
  readonly hash: string;
}

/** The cipher suites of TLS 1.3 that Node offers. */
const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', keySize: 16, hash: 'sha256' },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', keySize: 32, hash: 'sha384' },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: 'chacha20-poly1305', keySize: 32, hash: 'sha256' },
};

/** Finds a cipher suite by its name in TLS 1.3. */
export function suiteOf(name: string): Suite | undefined {
  return SUITES[name];
}

/** The keys of one direction of a connection. */
export interface TrafficKeys {
  readonly cipher: Suite['cipher'];
  readonly key: Buffer;
  readonly iv: Buffer;
}

/** Derives the keys of one direction from its traffic secret. Source: RFC 8446, section 7.3. */
export function trafficKeys({ cipher, keySize, hash }: Suite, secret: Buffer): TrafficKeys {
  const expand = (label: string, size: number) => {
    const name = Buffer.from(`tls13 ${label}`);
    // HKDF-Expand-Label without a context. One block of the hash is enough for a key.
    const info = [Buffer.of(0, size, name.length), name, Buffer.of(0, 1)];
    const block = builtins.crypto.createHmac(hash, secret).update(Buffer.concat(info)).digest();
    return block.subarray(0, size);
  };
  return { cipher, key: expand('key', keySize), iv: expand('iv', IV_SIZE) };
}

/** The size of the record at the start of the data; undefined while its header is incomplete. */
export function recordSize(data: Buffer): number | 'invalid' | undefined {
  if (data.length < HEADER_SIZE) return undefined;
  const size = HEADER_SIZE + data.readUInt16BE(3);
  return TYPES.includes(data[0] as number) && size <= MAX_RECORD_SIZE ? size : 'invalid';
}

/** The encrypted records that went in one direction since the connection began. */
export class RecordLog {
  #rest = Buffer.alloc(0);
  /** The first of them. */
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #count = 0;
  #isValid = true;

  /** Adds bytes of the stream. */
  add(chunk: Buffer): void {
    if (!this.#isValid) return;
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const size = recordSize(this.#rest);
      this.#isValid = size !== 'invalid';
      if (size === 'invalid' || size === undefined || size > this.#rest.length) return;
      if (this.#rest[0] === ENCRYPTED) this.#addRecord(this.#rest.subarray(0, size));
      this.#rest = this.#rest.subarray(size);
    }
  }

  /**
   * The sequence number of the next record: how many records these keys have encrypted. Those before them were
   * encrypted with the keys of the handshake. Undefined if that is not known.
   */
  nextSequence(keys: TrafficKeys): number | undefined {
    if (!this.#isValid || this.#rest.length > 0) return undefined;
    const first = this.#kept.findIndex((record) => isFirst(record, keys));
    if (first !== -1) return this.#count - first;
    return this.#count === this.#kept.length ? 0 : undefined;
  }

  #addRecord(record: Buffer): void {
    this.#count++;
    if (this.#keptBytes > MAX_KEPT_BYTES) return;
    this.#keptBytes += record.length;
    this.#kept.push(record);
  }
}

/** True for the record that these keys have encrypted first. Its nonce is the IV itself. */
function isFirst(record: Buffer, { cipher, key, iv }: TrafficKeys): boolean {
  const options = { authTagLength: TAG_SIZE };
  // The types of Node have this form of the call for AES only.
  const decipher = builtins.crypto.createDecipheriv(cipher as CipherGCMTypes, key, iv, options);
  decipher.setAAD(record.subarray(0, HEADER_SIZE)).setAuthTag(record.subarray(-TAG_SIZE));
  try {
    decipher.update(record.subarray(HEADER_SIZE, -TAG_SIZE));
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
