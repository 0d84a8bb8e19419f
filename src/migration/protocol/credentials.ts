import { readFile } from 'node:fs/promises';
import { invalid } from '../../errors.ts';
import { isLoopback } from '../../options/reach.ts';

/** Certificates of mutual TLS: PEM texts, or paths of PEM files. */
export interface MigrationTls {
  /** The authority that has issued the certificates of all hosts. */
  readonly ca: string | Uint8Array;
  /** This host's certificate. */
  readonly cert: string | Uint8Array;
  /** Its private key. */
  readonly key: string | Uint8Array;
}

/** The same, read. */
export interface Credentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Reads the certificates. Without, there is no authentication: only between processes of this host,
 * and if the caller says so.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function readCredentials(
  operation: string,
  host: string,
  tls: MigrationTls | undefined,
  insecure: boolean | undefined,
): Promise<Credentials | undefined> {
  if (insecure !== undefined && typeof insecure !== 'boolean') {
    throw invalid(operation, 'insecure', 'a boolean', insecure);
  }
  if (tls === undefined) {
    if (insecure && isLoopback(host)) return undefined;
    const takes = insecure
      ? '{ ca, cert, key }: insecure: true is for loopback addresses only'
      : '{ ca, cert, key }, PEM texts or paths';
    throw invalid(operation, 'tls', takes, tls);
  }
  if (typeof tls !== 'object' || tls === null) {
    throw invalid(operation, 'tls', '{ ca, cert, key }, PEM texts or paths', tls);
  }
  // In turn, so that of several that cannot be read it is always the first that is told.
  const ca = await read(operation, 'tls.ca', tls.ca);
  const cert = await read(operation, 'tls.cert', tls.cert);
  const key = await read(operation, 'tls.key', tls.key);
  return { ca, cert, key };
}

async function read(operation: string, option: string, given: unknown): Promise<Buffer> {
  if (given instanceof Uint8Array) return Buffer.from(given);
  if (typeof given !== 'string' || given === '') {
    throw invalid(operation, option, 'a PEM text or the path of a PEM file', given);
  }
  if (given.includes('-----BEGIN ')) return Buffer.from(given);
  return await readFile(given).catch((error: Error) => {
    throw invalid(operation, option, `a PEM file that can be read (${error.message})`, given);
  });
}
