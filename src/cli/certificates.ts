import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CriuError } from '../index.ts';

const OPERATION = 'cert';
/** The longest common name that X.509 allows. */
const MAX_COMMON_NAME = 64;

/** The paths of a certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Creates a certificate authority, `ca.pem` and `ca.key`.
 * @param directory created with mode 0700; an existing one must have that mode
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND without openssl
 */
export async function createAuthority(
  directory: string,
  days: number,
  signal: AbortSignal,
): Promise<Certificate> {
  await makeDirectory(resolve(directory)).catch((error: Error) => {
    throw invalid('directory', `cannot create ${directory}: ${error.message}`);
  });
  await assertPrivate(directory);
  // A random name tells authorities apart in the error messages of TLS.
  const subject = `/CN=node-criu lab ${randomBytes(4).toString('hex')}`;
  return await make(directory, 'ca', [], async ({ config, key }) => {
    const request = ['req', '-x509', '-new', '-sha256', '-config', config, '-key', key];
    const details = ['-extensions', 'authority', '-subj', subject, '-days', String(days)];
    return await openssl([...request, ...details], signal);
  });
}

/**
 * Creates the certificate of a host, for client and server.
 * @param names DNS names and IP addresses of the host; the first is the name of the files
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND without openssl
 */
export async function issueCertificate(
  directory: string,
  names: readonly string[],
  days: number,
  signal: AbortSignal,
): Promise<Certificate> {
  const invalidName = names.find((name) => !isIP(name) && !isHostName(name));
  if (invalidName !== undefined) {
    throw invalid(
      'names',
      `${JSON.stringify(invalidName)} is neither a host name nor an IP address`,
    );
  }
  const [name = ''] = names;
  if (name === 'ca') {
    throw invalid('names', 'ca is the name of the authority: put another name first');
  }
  const authority = { cert: join(directory, 'ca.pem'), key: join(directory, 'ca.key') };
  for (const file of Object.values(authority)) {
    if (await exists(file)) continue;
    const remedy = `create it with: node-criu cert init ${directory}`;
    throw invalid('directory', `${file} is missing; ${remedy}`);
  }
  await assertPrivate(directory);
  return await make(directory, name, names, async ({ config, key, request }) => {
    const subject = `/CN=${name.slice(0, MAX_COMMON_NAME)}`;
    const create = ['req', '-new', '-sha256', '-config', config, '-key', key];
    await openssl([...create, '-subj', subject, '-out', request], signal);
    const sign = ['x509', '-req', '-sha256', '-in', request, '-days', String(days)];
    const issuer = ['-CA', authority.cert, '-CAkey', authority.key, '-set_serial', serial()];
    return await openssl([...sign, ...issuer, '-extfile', config, '-extensions', 'host'], signal);
  });
}

/** Paths of files for openssl. */
interface TemporaryFiles {
  readonly config: string;
  readonly key: string;
  readonly request: string;
}

/** Creates a key, and its certificate with `sign`. Writes both files or neither. */
async function make(
  directory: string,
  name: string,
  names: readonly string[],
  sign: (files: TemporaryFiles) => Promise<string>,
): Promise<Certificate> {
  const result = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  for (const file of Object.values(result)) {
    if (await exists(file)) throw invalid('directory', `${file} exists already`);
  }
  const temporary = await mkdtemp(join(directory, '.new-'));
  const at = (file: string) => join(temporary, file);
  const files = { config: at('config'), key: at('key'), request: at('request') };
  try {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(files.key, pem, { mode: 0o600 });
    await writeFile(files.config, configFor(names), { mode: 0o600 });
    const certificate = await sign(files);
    await writeFile(result.key, pem, { mode: 0o600, flag: 'wx' });
    await writeFile(result.cert, certificate, { mode: 0o644, flag: 'wx' });
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The configuration for openssl, which replaces that of the system. */
function configFor(names: readonly string[]): string {
  const entries = names.map((name, index) => `${isIP(name) ? 'IP' : 'DNS'}.${index + 1} = ${name}`);
  return `
[req]
distinguished_name = empty
[empty]
[authority]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[host]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${names.length > 0 ? 'subjectAltName = @names' : ''}
[names]
${entries.join('\n')}
`;
}

async function openssl(args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return (await promisify(execFile)('openssl', [...args], { signal })).stdout;
  } catch (cause) {
    const { code, stderr = '' } = cause as NodeJS.ErrnoException & { stderr?: string };
    if (signal.aborted) {
      throw new CriuError('ERR_CRIU_ABORTED', 'cert was aborted', { cause: signal.reason });
    }
    if (code === 'ENOENT') {
      throw new CriuError('ERR_CRIU_NOT_FOUND', 'openssl is not on PATH', { cause });
    }
    const reason = stderr.trim().replace(/\s*\n\s*/g, '; ') || (cause as Error).message;
    throw new CriuError('ERR_CRIU_FAILED', `openssl ${args[0]} failed: ${reason}`, { cause });
  }
}

/** A random serial number; X.509 requires a positive one. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return `0x${bytes.toString('hex')}`;
}

function isHostName(name: string): boolean {
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  return name.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`, 'i').test(name);
}

/** Refuses to keep keys in a directory that others can access. */
async function assertPrivate(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  if ((mode & 0o077) === 0) return;
  const shown = (mode & 0o777).toString(8);
  throw invalid('directory', `${directory} is accessible to others (mode ${shown}); use mode 700`);
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

/**
 * Creates a directory and its missing parents. The option `recursive` of mkdir() would never return
 * where no directory can be created, as in /proc.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

function invalid(option: string, message: string): CriuError {
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: OPERATION, option });
}
