import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { builtins } from '../builtins.ts';
import { CriuError, systemFailure } from '../errors.ts';
import { type Check, check, either, object, required } from './check.ts';
import type { Kind } from './kinds.ts';
import { isText } from './kinds.ts';
import type { TlsOptions } from './types.ts';

/** The files of {@link TlsOptions}, read. */
export interface TlsFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly crl?: Buffer;
}

/** Longer texts are not quoted. */
const MAX_PATH = 256;

/** The path of a PEM file, or its content. */
const pem = check(
  'PEM text or the path of a PEM file',
  (value) => (value instanceof Uint8Array && value.length > 0) || isText(value),
);

/** CRIU opens the files by their paths. The error does not quote a text: it may be a private key. */
const pemPath: Check = {
  ...check('the path of a PEM file', (value) => value instanceof Uint8Array || isText(value)),
  read(operation, option, value) {
    if (typeof value === 'string' && (!mayBeKey(value) || existsSync(value))) return value;
    throw new CriuError(
      'ERR_CRIU_INVALID_ARGUMENT',
      `${operation}: ${option} takes the path of a PEM file, not its content: CRIU opens the file itself`,
      { operation, option },
    );
  },
};

const verifyName = check('a boolean', (value) => typeof value === 'boolean');

const shapeOf = (file: Check) => ({
  ca: required(file),
  cert: required(file),
  key: required(file),
  crl: file,
  verifyName,
});

/** TLS that this library speaks: PEM text works as well as paths. */
export const tlsMaterial: Check = object<TlsOptions>(shapeOf(pem));

/** What a server for browsers presents; it asks for no certificates. */
export type ServerCertificate = Pick<TlsOptions, 'cert' | 'key'>;

/** A certificate and its key: PEM text works as well as paths. */
export const serverCertificate: Check = object<ServerCertificate>({
  cert: required(pem),
  key: required(pem),
});

/** No TLS, although the defaults of the client have some. */
const none = check('false', (value) => value === false);

/** The same for the option of an operation, which can also turn off the default of the client. */
export const tlsMaterialOrNone: Check = either(tlsMaterial, none);

/** TLS that CRIU speaks: the fields of criu_opts, several of them. */
export const tlsFiles: Kind = {
  ...either(object<TlsOptions>(shapeOf(pemPath)), none),
  form: 'tls',
  encode(value) {
    if (value === false) return { tls: false };
    const { ca, cert, key, crl, verifyName = true } = value as TlsOptions;
    // CRIU opens them when it has changed into the directory of the images.
    return {
      tls: true,
      tls_cacert: resolve(String(ca)),
      tls_cert: resolve(String(cert)),
      tls_key: resolve(String(key)),
      ...(crl !== undefined && { tls_cacrl: resolve(String(crl)) }),
      ...(!verifyName && { tls_no_cn_verify: true }),
    };
  },
};

/** True for the path of a PEM file, false for the content of one. */
export function isPemPath(given: string | Uint8Array | undefined): given is string {
  return typeof given === 'string' && !given.includes('-----BEGIN ');
}

/**
 * Reads the files of checked options, one after the other, so that the error always names the first
 * that cannot be read.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function readTls(operation: string, tls: TlsOptions): Promise<TlsFiles> {
  const ca = await readPem(operation, 'tls.ca', tls.ca);
  const cert = await readPem(operation, 'tls.cert', tls.cert);
  const key = await readPem(operation, 'tls.key', tls.key);
  const crl = tls.crl === undefined ? undefined : await readPem(operation, 'tls.crl', tls.crl);
  const files = { ca, cert, key, ...(crl && { crl }) };
  assertUsable(operation, files);
  return files;
}

/**
 * Reads a certificate and its key.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function readServerCertificate(
  operation: string,
  tls: ServerCertificate,
): Promise<Pick<TlsFiles, 'cert' | 'key'>> {
  const cert = await readPem(operation, 'tls.cert', tls.cert);
  const key = await readPem(operation, 'tls.key', tls.key);
  assertPair(operation, cert, key);
  return { cert, key };
}

/**
 * Checks that the material can be used, which Node does only in part.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, which names the first part that cannot
 */
export function assertUsable(operation: string, { ca, cert, key, crl }: TlsFiles): void {
  assertCertificate(operation, 'tls.ca', ca);
  assertPair(operation, cert, key);
  if (crl) assertSecure(operation, 'tls.crl', 'a revocation list in PEM', { crl });
}

function assertPair(operation: string, cert: Buffer, key: Buffer): void {
  assertCertificate(operation, 'tls.cert', cert);
  const keyOfCert = 'the private key of tls.cert, in PEM and not encrypted';
  assertSecure(operation, 'tls.key', keyOfCert, { cert, key });
}

/** Node ignores a text without a certificate, and every connection would fail. */
function assertCertificate(operation: string, option: string, pem: Buffer): void {
  const takes = 'a certificate in PEM';
  if (!pem.includes('-----BEGIN ')) throw unusable(operation, option, takes);
  try {
    new builtins.crypto.X509Certificate(pem);
  } catch (cause) {
    throw unusable(operation, option, takes, cause);
  }
}

function assertSecure(
  operation: string,
  option: string,
  takes: string,
  material: SecureContextOptions,
): void {
  try {
    builtins.tls.createSecureContext(material);
  } catch (cause) {
    throw unusable(operation, option, takes, cause);
  }
}

/** The error quotes nothing of the file: it may be a private key. */
function unusable(operation: string, option: string, takes: string, cause?: unknown): CriuError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  const message = `${operation}: ${option} takes ${takes}, which the one given is not${reason}`;
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option, cause });
}

async function readPem(
  operation: string,
  option: string,
  given: string | Uint8Array,
): Promise<Buffer> {
  if (!isPemPath(given)) return Buffer.from(given);
  return await readFile(given).catch((error: NodeJS.ErrnoException) => {
    if (mayBeKey(given)) {
      throw new CriuError(
        'ERR_CRIU_INVALID_ARGUMENT',
        `${operation}: ${option} takes PEM text or the path of a PEM file, and this text is neither`,
        { operation, option },
      );
    }
    throw (
      systemFailure(operation, error) ??
      new CriuError(
        'ERR_CRIU_INVALID_ARGUMENT',
        `${operation}: ${option} takes a PEM file that can be read, not '${given}' (${error.code})`,
        { operation, option },
      )
    );
  });
}

/**
 * True for what may be a private key, whole or damaged, which no error must quote. The lines of a key are
 * base64 or hexadecimal; a path has no part that is as long without a separator, and it has a dot or begins
 * with a slash, while a slash may be anywhere in base64.
 */
function mayBeKey(text: string): boolean {
  const isBase64 = /^[A-Za-z0-9+][A-Za-z0-9+/=]{39,}$/.test(text);
  const hasKeyLine = /-----|\n|[A-Za-z0-9+=]{32}|([0-9a-f]{2}:){8}/i.test(text);
  return text.length >= MAX_PATH || isBase64 || hasKeyLine;
}
