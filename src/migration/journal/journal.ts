import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { asCriuError, CriuError } from '../../errors.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';

/** A line of a journal. */
export interface Entry<State extends string> {
  readonly state: State;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether it is an id as migrations have it, and can be the name of a file. */
export function isMigrationId(id: unknown): id is string {
  return typeof id === 'string' && ID.test(id);
}

/**
 * What one side has decided in one migration. A step is taken only once it is on disk, so that it
 * is known after any crash.
 */
export class Journal<State extends string, Facts extends object> implements AsyncDisposable {
  readonly #file: FileHandle;
  #entry: (Entry<State> & Partial<Facts>) | undefined;
  /** A line was begun, and may not be whole. */
  #torn: boolean;
  #last: Promise<void> = Promise.resolve();

  /** Begins the journal of a migration; one that is there already is not continued. */
  static async create<State extends string, Facts extends object>(
    directory: string,
    id: string,
  ): Promise<Journal<State, Facts>> {
    const path = pathOf(directory, id);
    let file: FileHandle | undefined;
    try {
      await makePrivateDirectory(directory);
      file = await open(path, 'ax', 0o600);
      // The name has to last as well as what the file says.
      const parent = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
      await parent.sync().finally(() => parent.close());
      return new Journal<State, Facts>(file, undefined, false);
    } catch (error) {
      await file?.close();
      // Without a line it says nothing.
      if (file) await unlink(path).catch(() => {});
      throw notBegun(id, error as NodeJS.ErrnoException);
    }
  }

  /** Goes on with the journal of a migration, or is undefined if there is none. */
  static async find<State extends string, Facts extends object>(
    directory: string,
    id: string,
  ): Promise<Journal<State, Facts> | undefined> {
    const path = pathOf(directory, id);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    return new Journal<State, Facts>(
      await open(path, 'a'),
      lastOf<Entry<State> & Partial<Facts>>(text),
      text !== '' && !text.endsWith('\n'),
    );
  }

  private constructor(
    file: FileHandle,
    entry: (Entry<State> & Partial<Facts>) | undefined,
    torn: boolean,
  ) {
    this.#file = file;
    this.#entry = entry;
    this.#torn = torn;
  }

  /** What was written last, with all facts so far; undefined if nothing was. */
  get entry(): (Entry<State> & Partial<Facts>) | undefined {
    return this.#entry;
  }

  /** Writes a step, and resolves once it is on disk. */
  async write(state: State, facts: Partial<Facts> = {}): Promise<void> {
    // One after the other: what is known is what is last on disk.
    const written = this.#last.then(() => this.#write(state, facts));
    this.#last = written.catch(() => {});
    await written;
  }

  async #write(state: State, facts: Partial<Facts>): Promise<void> {
    const entry = { ...this.#entry, ...facts, state, at: Date.now() } as Entry<State> &
      Partial<Facts>;
    const line = `${this.#torn ? '\n' : ''}${JSON.stringify(entry)}\n`;
    this.#torn = true;
    await this.#file.appendFile(line);
    await this.#file.datasync();
    this.#torn = false;
    this.#entry = entry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** The ids of the migrations that have a journal in a directory. */
export async function journalsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    // To take that for none would leave what an earlier agent has not finished.
    throw asCriuError('migration', error);
  });
  return names.map((name) => name.replace(/\.journal$/, '')).filter(isMigrationId);
}

function notBegun(id: string, cause: NodeJS.ErrnoException): CriuError {
  // Of mkdir, that would be of the directory.
  if (cause.code === 'EEXIST' && cause.syscall === 'open') {
    const message = `migration ${id}: its journal is there already`;
    return new CriuError('ERR_CRIU_MIGRATION_REFUSED', message, { cause });
  }
  const errno = cause.errno === undefined ? undefined : Math.abs(cause.errno);
  const message = `migration ${id}: its journal cannot be begun: ${cause.message}`;
  return new CriuError('ERR_CRIU_SYSTEM', message, { errno, cause });
}

/** Where the journal of a migration is. */
export function pathOf(directory: string, id: string): string {
  return join(directory, `${id}.journal`);
}

/** The last whole line: a crash may have cut off others, whose steps were not taken then. */
function lastOf<T>(text: string): T | undefined {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  for (const line of lines.reverse()) {
    try {
      return JSON.parse(line) as T;
    } catch {
      // It is empty, or was cut off before others were added.
    }
  }
  return undefined;
}
