import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { access, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CriuError } from '../index.ts';
import { makePrivateDirectory } from '../process/private-directory.ts';

const OPERATION = 'cert';
/** What a name of X.509 may have in its field for people. */
const LONGEST_COMMON_NAME = 64;

/** A certificate and its key: paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a certificate authority, `ca.pem` and `ca.key`.
 * @param directory is made with mode 0700, or has it
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND if there is no openssl
 */
export async function createAuthority(
  directory: string,
  days: number,
  signal: AbortSignal,
): Promise<Certificate> {
  await makePrivateDirectory(directory).catch((error: Error) => {
    throw refused('directory', `${directory} cannot be made: ${error.message}`);
  });
  await refuseOpen(directory);
  // Told apart from others of its kind, in what TLS says of a wrong one.
  const subject = `/CN=node-criu lab ${randomBytes(4).toString('hex')}`;
  return await make(directory, 'ca', [], async (at) => {
    const args = ['req', '-x509', '-new', '-sha256', '-config', at.config, '-key', at.key];
    const about = ['-extensions', 'authority', '-subj', subject, '-days', String(days)];
    return await openssl([...args, ...about], signal);
  });
}

/**
 * Makes a certificate of a host, for both ends of a connection.
 * @param names what the host is called: DNS names and IP addresses, the first of which names the files
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND if there is no openssl
 */
export async function issueCertificate(
  directory: string,
  names: readonly string[],
  days: number,
  signal: AbortSignal,
): Promise<Certificate> {
  const wrong = names.find((name) => !isIP(name) && !isHostName(name));
  if (wrong !== undefined) {
    throw refused('names', `${JSON.stringify(wrong)} is neither a host name nor an IP address`);
  }
  const [name = ''] = names;
  if (name === 'ca') throw refused('names', 'ca is the authority itself: begin with another name');
  const authority = { cert: join(directory, 'ca.pem'), key: join(directory, 'ca.key') };
  for (const file of Object.values(authority)) {
    if (await isThere(file)) continue;
    throw refused('directory', `there is no ${file}: make it by node-criu cert init ${directory}`);
  }
  await refuseOpen(directory);
  return await make(directory, name, names, async (at) => {
    const subject = `/CN=${name.slice(0, LONGEST_COMMON_NAME)}`;
    const request = ['req', '-new', '-sha256', '-config', at.config, '-key', at.key];
    await openssl([...request, '-subj', subject, '-out', at.request], signal);
    const signed = ['x509', '-req', '-sha256', '-in', at.request, '-days', String(days)];
    const by = ['-CA', authority.cert, '-CAkey', authority.key, '-set_serial', serial()];
    return await openssl([...signed, ...by, '-extfile', at.config, '-extensions', 'host'], signal);
  });
}

interface Workshop {
  readonly config: string;
  readonly key: string;
  readonly request: string;
}

/** Makes a key and, by `sign`, its certificate; both are there in the end, or neither. */
async function make(
  directory: string,
  name: string,
  names: readonly string[],
  sign: (at: Workshop) => Promise<string>,
): Promise<Certificate> {
  const made = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  for (const file of Object.values(made)) {
    if (await isThere(file)) throw refused('directory', `there is a ${file} already`);
  }
  const workshop = await mkdtemp(join(directory, '.new-'));
  const [config, key, request] = ['config', 'key', 'request'].map((file) => join(workshop, file));
  try {
    const at = { config, key, request } as Workshop;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(at.key, pem, { mode: 0o600 });
    await writeFile(at.config, configFor(names), { mode: 0o600 });
    const certificate = await sign(at);
    await writeFile(made.key, pem, { mode: 0o600, flag: 'wx' });
    await writeFile(made.cert, certificate, { mode: 0o644, flag: 'wx' });
    return made;
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

/** Not that of the system, which may say anything. */
function configFor(names: readonly string[]): string {
  const places = names.map((name, index) => `${isIP(name) ? 'IP' : 'DNS'}.${index + 1} = ${name}`);
  return `
[req]
distinguished_name = nothing
[nothing]
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
${names.length > 0 ? 'subjectAltName = @places' : ''}
[places]
${places.join('\n')}
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
      throw new CriuError('ERR_CRIU_NOT_FOUND', 'there is no openssl on PATH', { cause });
    }
    const reason = stderr.trim().replace(/\s*\n\s*/g, '; ') || (cause as Error).message;
    throw new CriuError('ERR_CRIU_FAILED', `openssl ${args[0]} failed: ${reason}`, { cause });
  }
}

/** A random one that is positive, as X.509 has it. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return `0x${bytes.toString('hex')}`;
}

function isHostName(name: string): boolean {
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  return name.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`, 'i').test(name);
}

/** Keys are to be where nobody else looks. */
async function refuseOpen(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  if ((mode & 0o077) === 0) return;
  const own = (mode & 0o777).toString(8);
  throw refused('directory', `${directory} is open to others (mode ${own}): use one of its own`);
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

function refused(option: string, message: string): CriuError {
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: OPERATION, option });
}
