import {
  chmod,
  lstat,
  mkdir,
  readlink,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { builtins } from '../builtins.ts';
import { CriuError } from '../errors.ts';
import { WRITABLE_BY_OTHERS } from '../process/private-directory.ts';
import { readBootIdSync } from '../procfs/system.ts';
import { environment } from './environment.ts';
import type { Program } from './program.ts';

/**
 * Where CRIU looks for what it has found out about the kernel. It reads the file from any file system,
 * but writes it only to a tmpfs, so that it ends with the boot. Source: KERNDAT_CACHE_FILE.
 */
const CACHE = '/run/criu.kdat';
/** Ends with the boot, like /run elsewhere, and only root can write there. */
const KEPT = '/dev/.criu';
/** As for a devtmpfs. Source: TMPFS_MAGIC. */
const TMPFS = 0x01021994;
const MAX_BYTES = 1 << 20;

/** Has CRIU write the file to a tmpfs that nobody else sees, whatever else it finds fault with. */
const PROBE = 'mount -t tmpfs -o mode=0700 tmpfs /run && { "$0" check >&2; cat /run/criu.kdat; }';

/**
 * Whether CRIU finds what it has found out about the kernel earlier: `kept` if it does, or keeps it by
 * itself; `missing` if each operation examines the kernel anew, which takes 30 to 40 ms.
 */
export type KernelCache = 'kept' | 'missing';

/** The programs for which a client has asked for the cache, by their identity. */
const asked = new Map<string, Promise<void>>();

/** Makes the cache once for each binary. It only saves time: a failure is a warning of the process. */
export async function keepKernelCacheOnce(operation: string, program: Program): Promise<void> {
  const known = asked.get(program.identity);
  if (known) return await known;
  const keeping = keepKernelCache(operation, program).catch((error: CriuError) => {
    process.emitWarning(error.message);
  });
  asked.set(program.identity, keeping);
  await keeping;
}

/** Looks for the cache. */
export async function kernelCache(): Promise<KernelCache> {
  if ((await statfs(dirname(CACHE)).catch(() => undefined))?.type === TMPFS) return 'kept';
  return (await stat(CACHE).catch(() => undefined))?.isFile() ? 'kept' : 'missing';
}

/**
 * Makes CRIU's cache where CRIU does not keep it by itself: a link in /run to a file in /dev. Idempotent.
 * A file that others have put there stays.
 * @throws CriuError ERR_CRIU_SYSTEM
 */
export async function keepKernelCache(operation: string, program: Program): Promise<void> {
  try {
    if ((await statfs(dirname(CACHE))).type === TMPFS) return;
    const path = join(KEPT, nameFor(program));
    const found = await readlink(CACHE).catch(() => undefined);
    if (found === path && (await stat(path).catch(() => undefined))) return;
    if (found === undefined && (await lstat(CACHE).catch(() => undefined))) return;
    if (found !== undefined && dirname(found) !== KEPT) return;
    await makeKept();
    await replace(path, (fresh) => probe(program).then((data) => writePrivate(fresh, data)));
    if (found === undefined) await symlink(path, CACHE).catch(unlessTaken);
    else await replace(CACHE, (fresh) => symlink(path, fresh));
  } catch (cause) {
    const message = `${operation}: CRIU's cache of the kernel's features cannot be kept: ${(cause as Error).message}`;
    throw new CriuError('ERR_CRIU_SYSTEM', message, { operation, cause });
  }
}

/** Two processes may make the link at the same time. */
function unlessTaken(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** CRIU takes only a file of the same CRIU, and a container may be moved to another kernel with its /dev. */
function nameFor({ identity }: Program): string {
  return `${builtins.crypto.createHash('sha256').update(`${readBootIdSync()} ${identity}`).digest('hex').slice(0, 16)}.kdat`;
}

async function makeKept(): Promise<void> {
  for (const directory of [dirname(KEPT), dirname(CACHE)]) {
    const { uid, mode } = await stat(directory);
    if (uid !== 0 || (mode & WRITABLE_BY_OTHERS) !== 0) {
      throw new Error(`others than root can write to ${directory}`);
    }
  }
  if ((await statfs(dirname(KEPT))).type !== TMPFS) {
    throw new Error(`neither ${dirname(CACHE)} nor ${dirname(KEPT)} is a tmpfs`);
  }
  await mkdir(KEPT, { mode: 0o700 }).catch(unlessTaken);
  const kept = await lstat(KEPT);
  if (!kept.isDirectory() || kept.uid !== 0) throw new Error(`${KEPT} is not a directory of root`);
  await chmod(KEPT, 0o700);
}

/** Lets CRIU examine the kernel; resolves with the file that it writes. */
async function probe({ path }: Program): Promise<Buffer> {
  const { stdout } = await promisify(builtins.childProcess.execFile)(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', PROBE, path],
    { encoding: 'buffer', env: environment(), maxBuffer: MAX_BYTES },
  );
  if (stdout.length === 0) throw new Error('CRIU has written nothing');
  return stdout;
}

async function writePrivate(path: string, data: Buffer): Promise<void> {
  await writeFile(path, data, { mode: 0o600, flag: 'wx' });
}

/** Puts a file in the place of another in one step. */
async function replace(path: string, make: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  await rm(fresh, { force: true });
  try {
    await make(fresh);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
