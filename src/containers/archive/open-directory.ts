import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BadStream } from '../../stream/byte-input.ts';
import { shownPath } from './archive-members.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** As many links as the kernel follows. Source: path_resolution(7). */
const MAX_LINKS = 40;

/**
 * A directory that is open. Its entries are named by paths through /proc/self/fd, so that what is done to them
 * happens in this directory, wherever its own path leads to by then. Names are bytes, one a character (latin1).
 */
export class OpenDirectory implements AsyncDisposable {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens a directory by its path, in which links are followed. */
  static async open(path: string): Promise<OpenDirectory> {
    return new OpenDirectory(await open(path, O_RDONLY | O_DIRECTORY));
  }

  /** The handle, for its owner, mode and times. */
  get file(): FileHandle {
    return this.#file;
  }

  /** The path of an entry. */
  at(name: string): Buffer {
    return Buffer.concat([
      Buffer.from(`/proc/self/fd/${this.#file.fd}/`),
      Buffer.from(name, 'latin1'),
    ]);
  }

  /** The names of its entries. */
  async names(): Promise<string[]> {
    const names = await readdir(this.at('.'), { encoding: 'buffer' });
    return names.map((name) => name.toString('latin1'));
  }

  /** Opens a directory in it; fails for a link. */
  async child(name: string): Promise<OpenDirectory> {
    return new OpenDirectory(await open(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** Removes an entry, with all that is in it. */
  async remove(name: string): Promise<void> {
    const found = await statIn(this, name);
    if (found === undefined) return;
    if (!found.isDirectory()) return await rm(this.at(name));
    {
      await using directory = await this.child(name);
      for (const inner of await directory.names()) await directory.remove(inner);
    }
    await rmdir(this.at(name));
  }

  /** Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** What an entry is, without following a link; undefined if there is none. */
export async function statIn(directory: OpenDirectory, name: string) {
  return await lstat(directory.at(name), { bigint: false }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw error;
  });
}

/**
 * Opens a directory below a root as a process would for which this root is `/`: neither `..` nor a link leads out
 * of it.
 * @param make makes a directory that is missing; without it the result is undefined then
 * @throws BadStream if the path goes through what is no directory, or has too many links
 */
export async function openInRoot(
  root: string,
  path: string,
  make?: (parent: OpenDirectory, name: string) => Promise<void>,
): Promise<OpenDirectory | undefined> {
  const opened = [await OpenDirectory.open(root)];
  const pending = path.split('/').reverse();
  let links = 0;
  try {
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const parent = opened.at(-1) as OpenDirectory;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (opened.length > 1) await opened.pop()?.[Symbol.asyncDispose]();
        continue;
      }
      const found = await statIn(parent, name);
      if (found === undefined && make === undefined) return undefined;
      if (found === undefined) await make?.(parent, name);
      if (found?.isSymbolicLink()) {
        if (++links > MAX_LINKS) throw new BadStream(`${shownPath(path)} has too many links`, 0);
        const target = await readlink(parent.at(name), { encoding: 'buffer' });
        const text = target.toString('latin1');
        if (text.startsWith('/')) await closeAll(opened.splice(1));
        pending.push(...text.split('/').reverse());
        continue;
      }
      if (found !== undefined && !found.isDirectory()) {
        throw new BadStream(`${shownPath(path)} goes through what is no directory`, 0);
      }
      opened.push(await parent.child(name));
    }
    return opened.pop();
  } finally {
    await closeAll(opened);
  }
}

async function closeAll(directories: readonly OpenDirectory[]): Promise<void> {
  for (const directory of directories) await directory[Symbol.asyncDispose]();
}

/** The directory of a path, and its last component. */
export function splitPath(path: string): { above: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { above: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

/** A path of a directory and one of its entries. */
export function below(directory: string, name: string): string {
  return directory === '' ? name : join(directory, name);
}
