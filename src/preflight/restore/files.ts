import { constants, type Stats } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PreflightFinding } from '../../finding.ts';
import type { RegFileEntry } from '../../generated/images/types.ts';
import { hasBuildId } from '../../images/build-id.ts';
import { hasOwnNamespace } from '../../images/checkpoint.ts';
import { eachOf, lstatOf, statOf } from '../../procfs/read.ts';
import type { Plain } from '../../protobuf/decode.ts';
import { found } from '../checks/check.ts';
import { makesCgroups } from './cgroups.ts';
import { type DumpedFile, filesOf, nameOf, type RestoreCheck } from './subject.ts';

/** The type of a remap whose file is under another name, which linkRemap made. */
const LINKED = 0;
const PERMISSIONS = 0o777;

/** Files that are missing here or have changed. Those of a mount namespace exist only after the restore. */
export const files: RestoreCheck = async ({ checkpoint, options, cancellation }) => {
  if (hasOwnNamespace(checkpoint, 'mnt_ns_id') || options.root !== undefined) return [];
  const remaps = new Map(checkpoint.remaps.map((remap) => [remap.orig_id, remap]));
  const { inheritFd = {}, skipFileRwxCheck = false } = options;
  const look = async (one: DumpedFile): Promise<PreflightFinding | undefined> => {
    cancellation.throwIfRequested();
    const { reg, id } = one.file;
    if (!reg || reg.ext || Object.hasOwn(inheritFd, reg.name.slice(1))) return undefined;
    // Of a process: it exists only after the restore, or not any more.
    if (/^\/proc\/\d/.test(reg.name)) return undefined;
    const remap = remaps.get(id);
    if (!remap) {
      const difference = await compare(one, reg, skipFileRwxCheck);
      const isMade = difference && makesCgroups(options) && (await isInCgroups(reg.name));
      return isMade ? undefined : difference;
    }
    // The images have the content of other files without a name.
    if (remap.remap_type !== LINKED && remap.remap_type !== undefined) return undefined;
    const link = checkpoint.files.get(remap.remap_id)?.reg;
    if (!link || (await statOf(link.name))) return undefined;
    return about(one, 'FILE_MISSING', {
      message: `${one.place} is ${reg.name}, a deleted file that the dump kept as ${link.name}, which does not exist`,
      remedy: 'Restore on the file system of the dump, where linkRemap kept the file.',
    });
  };
  return await eachOf(filesOf(checkpoint), look, 4);
};

/** From linux/magic.h: control groups, which the restore makes before it opens files in them. */
const cgroupFileSystems = [0x27e0eb, 0x63677270];

async function isInCgroups(path: string): Promise<boolean> {
  for (let at = dirname(path); at !== '/'; at = dirname(at)) {
    const found = await statfs(at).catch(() => undefined);
    if (found) return cgroupFileSystems.includes(found.type);
  }
  return false;
}

async function compare(
  one: DumpedFile,
  { name, size, mode, build_id: words = [] }: Plain<RegFileEntry>,
  skipFileRwxCheck: boolean,
): Promise<PreflightFinding | undefined> {
  // A descriptor may be open on a symbolic link itself.
  const isLink = mode !== undefined && (mode & constants.S_IFMT) === constants.S_IFLNK;
  const stats = await (isLink ? lstatOf : statOf)(name).catch((error: Error) => error);
  if (!stats || stats instanceof Error) {
    const why = stats ? `cannot be read: ${stats.message}` : 'does not exist';
    return about(one, 'FILE_MISSING', {
      message: `${one.place} is ${name}, which ${why}`,
      remedy: 'Put the files of the dump in their places.',
    });
  }
  const change =
    sizeChange(stats, size) ??
    modeChange(stats, mode, skipFileRwxCheck) ??
    (words.length > 0 && !(await hasItsBuildId(name, words)) ? 'has another build id' : undefined);
  if (change === undefined) return undefined;
  const remedy = change.startsWith('has mode')
    ? 'Give the files the modes that they had, or set skipFileRwxCheck.'
    : 'Put the files of the dump, with the same versions of programs and libraries, in their places.';
  return about(one, 'FILE_CHANGED', {
    message: `${one.place} is ${name}, which ${change}`,
    remedy,
  });
}

function sizeChange({ size: now }: Stats, size: number | undefined): string | undefined {
  return size === undefined || size === now ? undefined : `has ${now} bytes instead of ${size}`;
}

function modeChange(
  { mode: now }: Stats,
  mode: number | undefined,
  skipsPermissions: boolean,
): string | undefined {
  const ignored = skipsPermissions ? PERMISSIONS : 0;
  if (mode === undefined || (now & ~ignored) === (mode & ~ignored)) return undefined;
  const isOtherKind = (now & constants.S_IFMT) !== (mode & constants.S_IFMT);
  return isOtherKind
    ? 'is another kind of file now'
    : `has mode ${(now & 0o7777).toString(8)} instead of ${(mode & 0o7777).toString(8)}`;
}

async function hasItsBuildId(path: string, words: readonly number[]): Promise<boolean> {
  await using file = await open(path);
  return await hasBuildId(file, words);
}

function about(
  { process, fd }: DumpedFile,
  code: 'FILE_MISSING' | 'FILE_CHANGED',
  texts: { message: string; remedy: string },
): PreflightFinding {
  return found(code, process, { ...texts, fd });
}

/** Files that the option external named at the dump; the restore has to be given them. */
export const externalFiles: RestoreCheck = ({ checkpoint, options: { inheritFd = {} } }) =>
  filesOf(checkpoint).flatMap(({ process, file: { reg }, fd, place }) => {
    if (!reg?.ext || Object.hasOwn(inheritFd, reg.name)) return [];
    return found('EXTERNAL_MISSING', process, {
      message: `${place} is the external file ${reg.name}`,
      fd,
      remedy: `Pass a replacement to the restore as inheritFd['${reg.name}'].`,
    });
  });

/** A restore without the option drops the locks. */
export const fileLocks: RestoreCheck = ({ checkpoint, options }) => {
  if (options.fileLocks) return [];
  return checkpoint.locks.map(({ pid, fd }) => {
    const process = checkpoint.processes.find((one) => one.pid === pid) ?? { pid, name: '' };
    return found('FILE_LOCK', process, {
      severity: 'warning',
      message: `descriptor ${fd} of ${nameOf(process)} held a lock, which the restore drops`,
      fd,
      remedy: 'Set fileLocks.',
    });
  });
};
