import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rmdir,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

/**
 * File systems that answer within microseconds, by statfs(2): ext4, tmpfs, XFS, Btrfs, overlayfs, F2FS, ZFS, procfs
 * and ramfs. Calls on any other, such as NFS or FUSE, may wait for another host or program.
 */
const LOCAL: ReadonlySet<number> = new Set([
  0xef53, 0x01021994, 0x58465342, 0x9123683e, 0x794c7630, 0xf2f52010, 0x2fc12fc1, 0x9fa0,
  0x858458f6,
]);

const NEW = { flag: 'wx', mode: 0o600 } as const;

/** The calls on files that an operation makes besides CRIU. */
export interface Files {
  stat(path: string): Promise<Stats>;
  /** With times in nanoseconds. */
  statExactly(path: string): Promise<BigIntStats>;
  readdir(path: string): Promise<string[]>;
  readFile(path: string): Promise<Buffer>;
  /** Reads the last bytes of a text file. */
  readEnd(path: string, length: number): Promise<string>;
  /** Writes a file that does not exist yet, with the mode 0600. */
  writeNew(path: string, text: string): Promise<void>;
  readlink(path: string): Promise<string>;
  realpath(path: string): Promise<string>;
  /** Resolves with a descriptor. */
  open(path: string, flags: number | string): Promise<number>;
  close(fd: number): Promise<void>;
  mkdir(path: string, options: { readonly mode: number }): Promise<void>;
  mkdtemp(prefix: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
}

/** Makes the calls on libuv's threads. */
export const remoteFiles: Files = {
  stat: (path) => stat(path),
  statExactly: (path) => stat(path, { bigint: true }),
  readdir: (path) => readdir(path),
  readFile: (path) => readFile(path),
  readEnd,
  writeNew: (path, text) => writeFile(path, text, NEW),
  readlink: (path) => readlink(path),
  realpath: (path) => realpath(path),
  open: (path, flags) => promisify(open)(path, flags, 0o600),
  // Never waits: nothing is written through these descriptors.
  close: async (fd) => closeSync(fd),
  mkdir: async (path, options) => void (await mkdir(path, options)),
  mkdtemp: (prefix) => mkdtemp(prefix),
  rename: (from, to) => rename(from, to),
  rmdir: (path) => rmdir(path),
  chmod: (path, mode) => chmod(path, mode),
  chown: (path, uid, gid) => chown(path, uid, gid),
};

/** Makes the calls at once: each takes microseconds, a detour through libuv's threads much longer. */
export const localFiles: Files = {
  stat: async (path) => statSync(path),
  statExactly: async (path) => statSync(path, { bigint: true }),
  readdir: async (path) => readdirSync(path),
  readFile: async (path) => readFileSync(path),
  readEnd: async (path, length) => readEndSync(path, length),
  writeNew: async (path, text) => writeFileSync(path, text, NEW),
  readlink: async (path) => readlinkSync(path),
  realpath: async (path) => realpathSync(path),
  open: async (path, flags) => openSync(path, flags, 0o600),
  close: async (fd) => closeSync(fd),
  mkdir: async (path, options) => void mkdirSync(path, options),
  mkdtemp: async (prefix) => mkdtempSync(prefix),
  rename: async (from, to) => renameSync(from, to),
  rmdir: async (path) => rmdirSync(path),
  chmod: async (path, mode) => chmodSync(path, mode),
  chown: async (path, uid, gid) => chownSync(path, uid, gid),
};

async function readEnd(path: string, length: number): Promise<string> {
  await using file = await openFile(path);
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(Math.min(size, length));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
  return buffer.toString('utf8', 0, bytesRead);
}

function readEndSync(path: string, length: number): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.allocUnsafe(Math.min(size, length));
    const bytesRead = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    closeSync(fd);
  }
}

/** How to make calls on files in a directory, which may not exist yet. */
export async function filesIn(directory: string): Promise<Files> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    try {
      return LOCAL.has((await statfs(path)).type) ? localFiles : remoteFiles;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || path === dirname(path)) return remoteFiles;
    }
  }
}
