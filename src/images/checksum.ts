import { builtins } from '../builtins.ts';

/** How the checksums of a checkpoint's files are made. */
export interface ChecksumMethod {
  /**
   * GMAC with AES-128, which processors have instructions for: 128 bits, several GB/s. Whoever can write the
   * files can also write this key, so that checksums find damage, not forgery.
   */
  readonly algorithm: 'AES-128-GMAC';
  /** The key, random for each checkpoint: 32 hexadecimal digits. */
  readonly key: string;
  /** The initialization vector: 24 hexadecimal digits. */
  readonly iv: string;
}

/** The size and checksum of a file. */
export interface FileChecksum {
  /** Size in bytes. */
  readonly bytes: number;
  /** 32 hexadecimal digits. */
  readonly checksum: string;
}

/** A new method, with a key of its own. */
export function newChecksumMethod(): ChecksumMethod {
  const { randomBytes } = builtins.crypto;
  return {
    algorithm: 'AES-128-GMAC',
    key: randomBytes(16).toString('hex'),
    iv: randomBytes(12).toString('hex'),
  };
}

/** Makes the checksum of a file from its content. */
export class Hash {
  readonly #cipher;
  #bytes = 0;

  constructor({ algorithm: _, key, iv }: ChecksumMethod) {
    const [secret, vector] = [Buffer.from(key, 'hex'), Buffer.from(iv, 'hex')];
    this.#cipher = builtins.crypto.createCipheriv('aes-128-gcm', secret, vector);
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (bytes.length > 0) this.#cipher.setAAD(bytes);
  }

  finish(): FileChecksum {
    this.#cipher.final();
    return { bytes: this.#bytes, checksum: this.#cipher.getAuthTag().toString('hex') };
  }
}
