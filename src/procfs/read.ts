import {
  close,
  lstat,
  open,
  read,
  readdir,
  readdirSync,
  readFileSync,
  readlink,
  readlinkSync,
  type Stats,
  stat,
} from 'node:fs';

// A process may end at any moment while it is read. Every reader below therefore returns undefined
// (or no names) for what no longer exists, and throws for every other error, such as EACCES.
// The synchronous readers suit a few short files: /proc never waits for a disk.

/** A pid, or `self` for the calling process. */
export type Pid = number | 'self';

const goneCodes: readonly string[] = ['ENOENT', 'ESRCH', 'ENOTDIR', 'EBADF'];

function isGone(error: unknown): boolean {
  return goneCodes.includes((error as NodeJS.ErrnoException).code ?? '');
}

function unlessGoneSync<T>(reading: () => T): T | undefined {
  try {
    return reading();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Reads a text file. */
export function textOfSync(path: string): string | undefined {
  return unlessGoneSync(() => readFileSync(path, 'utf8'));
}

/** Reads the target of a symbolic link. */
export function linkOfSync(path: string): string | undefined {
  return unlessGoneSync(() => readlinkSync(path));
}

/** Lists the names in a directory. */
export function namesInSync(path: string): string[] {
  return unlessGoneSync(() => readdirSync(path)) ?? [];
}

// The asynchronous readers use the callback functions of node:fs, which take a tenth of the time of
// their promises when thousands of files are read.

type Callback<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

const promised = <T>(start: (callback: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });

async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Opens a file, passes its descriptor to `use`, and closes it. */
export async function withFile<T>(
  path: string,
  flags: number | string,
  use: (fd: number) => Promise<T>,
): Promise<T | undefined> {
  const fd = await unlessGone(promised<number>((done) => open(path, flags, done)));
  if (fd === undefined) return undefined;
  try {
    return await use(fd);
  } finally {
    await promised((done) => close(fd, done));
  }
}

/**
 * Reads a text file whose size is unknown, as in /proc.
 * @param guess size of the first read, in bytes; each further read doubles it, up to 1 MiB
 */
export function textOf(path: string, guess = 2048): Promise<string | undefined> {
  return withFile(path, 'r', async (fd) => {
    const parts: Buffer[] = [];
    for (let size = guess; ; size = Math.min(2 * size, 1 << 20)) {
      const buffer = Buffer.allocUnsafe(size);
      const length = await unlessGone(
        promised<number>((done) => read(fd, buffer, 0, size, null, done)),
      );
      if (length === undefined) return undefined;
      if (length === 0) break;
      parts.push(buffer.subarray(0, length));
    }
    return Buffer.concat(parts).toString('utf8');
  });
}

/** Reads the target of a symbolic link. */
export function linkOf(path: string): Promise<string | undefined> {
  return unlessGone(promised<string>((done) => readlink(path, 'utf8', done)));
}

/** stat(2): follows symbolic links. */
export function statOf(path: string): Promise<Stats | undefined> {
  return unlessGone(promised<Stats>((done) => stat(path, done)));
}

/** lstat(2): does not follow a symbolic link. */
export function lstatOf(path: string): Promise<Stats | undefined> {
  return unlessGone(promised<Stats>((done) => lstat(path, done)));
}

/** Lists the names in a directory. */
export async function namesIn(path: string): Promise<string[]> {
  return (await unlessGone(promised<string[]>((done) => readdir(path, done)))) ?? [];
}

/**
 * Calls `use` for each item, with a limited number of calls at a time. The results are in the order
 * of the items, without those that are undefined. After a failure no call is begun, and those that
 * have begun are awaited: nothing they have open outlives the error.
 */
export async function eachOf<T, U>(
  items: Iterable<T>,
  use: (item: T) => Promise<U | undefined>,
  concurrency = 16,
): Promise<U[]> {
  const results: (U | undefined)[] = [];
  const queue = items[Symbol.iterator]();
  let count = 0;
  let failure: { readonly cause: unknown } | undefined;
  const work = async () => {
    for (let next = queue.next(); !next.done && !failure; next = queue.next()) {
      const index = count++;
      try {
        results[index] = await use(next.value);
      } catch (cause) {
        failure ??= { cause };
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  if (failure) throw failure.cause;
  return results.filter((result) => result !== undefined);
}
