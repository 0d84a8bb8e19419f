import { type FileHandle, open, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asCriuError, CriuError } from '../../errors.ts';
import { native } from '../../native/index.ts';
import { syncDirectory } from '../../process/durable.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import { keepReserve, releaseReserve } from './reserve.ts';

/** A line of a journal. */
export interface Entry<State extends string> {
  readonly state: State;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}

interface Content<State extends string, Facts extends object> {
  readonly entry: (Entry<State> & Partial<Facts>) | undefined;
  /** When the state was reached, in milliseconds since 1970. */
  readonly since: number | undefined;
  /** True if the file may end within a line. */
  readonly isTorn: boolean;
}

const LOCK_POLL_MS = 20;
/** The errors of a disk, or a share of it, that is full. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];
/** How long a journal is kept after its last line, in milliseconds. */
const RETENTION_MS = 7 * 24 * 60 * 60 * 1000;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** True for an id that a migration can have. Such an id is safe as a file name. */
export function isMigrationId(id: unknown): id is string {
  return typeof id === 'string' && ID.test(id);
}

/**
 * The decisions of one side of a migration. A line is durable before its action begins, so that the
 * decision is known after any crash.
 */
export class Journal<State extends string, Facts extends object> implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  #content: Content<State, Facts>;
  #lastWrite: Promise<void> = Promise.resolve();

  /**
   * Creates the journal of a migration.
   * @throws CriuError ERR_CRIU_MIGRATION_REFUSED if it exists already, ERR_CRIU_SYSTEM
   */
  static async create<State extends string, Facts extends object>(
    directory: string,
    id: string,
  ): Promise<Journal<State, Facts>> {
    const path = journalPath(directory, id);
    let file: FileHandle | undefined;
    try {
      await makePrivateDirectory(directory, true);
      await keepReserve(directory);
      file = await open(path, 'ax', 0o600);
      // The directory entry has to be as durable as the content.
      await syncDirectory(directory);
      native().tryLock(file.fd);
      return new Journal<State, Facts>(path, file, parse(''));
    } catch (error) {
      await file?.close();
      // An empty journal means nothing.
      if (file) await unlink(path).catch(() => {});
      throw creationError(id, error as NodeJS.ErrnoException);
    }
  }

  /** Opens the journal of a migration; undefined if there is none. */
  static async find<State extends string, Facts extends object>(
    directory: string,
    id: string,
  ): Promise<Journal<State, Facts> | undefined> {
    const path = journalPath(directory, id);
    const text = await textOf(path);
    if (text === undefined) return undefined;
    return new Journal<State, Facts>(path, await open(path, 'a'), parse(text));
  }

  private constructor(path: string, file: FileHandle, content: Content<State, Facts>) {
    this.#path = path;
    this.#file = file;
    this.#content = content;
  }

  /**
   * Locks the journal until it is closed or this process ends, and reads it again: whoever held the lock
   * before may have changed it.
   * @returns false if it stays locked for longer than `timeoutMs`
   */
  async lock(timeoutMs = 0): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    while (!native().tryLock(this.#file.fd)) {
      if (performance.now() >= until) return false;
      await sleep(LOCK_POLL_MS);
    }
    this.#content = parse((await textOf(this.#path)) ?? '');
    return true;
  }

  /** The last line, with all facts so far; undefined if there is none. */
  get entry(): (Entry<State> & Partial<Facts>) | undefined {
    return this.#content.entry;
  }

  /** When the state was reached, in milliseconds since 1970; undefined if there is no line. */
  get since(): number | undefined {
    return this.#content.since;
  }

  /** Appends a line; resolves once it is on disk. Writes happen one after the other. */
  async write(state: State, facts: Partial<Facts> = {}): Promise<void> {
    const written = this.#lastWrite.then(() => this.#write(state, facts));
    this.#lastWrite = written.catch(() => {});
    await written;
  }

  async #write(state: State, facts: Partial<Facts>): Promise<void> {
    const { entry: last, since } = this.#content;
    const entry = { ...last, ...facts, state, at: Date.now() } as Entry<State> & Partial<Facts>;
    await this.#append(JSON.stringify(entry));
    this.#content = { entry, since: state === last?.state ? since : entry.at, isTorn: false };
  }

  /** Appends a line, in the space that is kept for journals if the disk is full. */
  async #append(line: string): Promise<void> {
    const text = `${this.#content.isTorn ? '\n' : ''}${line}\n`;
    this.#content = { ...this.#content, isTorn: true };
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (error) {
      const isFull = FULL.includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isFull || !(await releaseReserve(dirname(this.#path)))) throw error;
      await this.#append(line);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** The ids of the migrations that have a journal in a directory. */
export async function journalsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    // Reporting no journals here would hide migrations that an earlier agent left unfinished.
    throw asCriuError('migration', error);
  });
  return names.map((name) => name.replace(/\.journal$/, '')).filter(isMigrationId);
}

/**
 * Removes the journals whose last line is older than a week: those that both hosts know to have ended, and
 * those without a line. The others are kept for the question that the other host may still ask.
 */
export async function pruneJournals(directory: string): Promise<void> {
  for await (const { id, journal } of oldJournals<string, { acknowledged: boolean }>(directory)) {
    const { entry } = journal;
    if (entry && !entry.acknowledged) continue;
    await rm(journalPath(directory, id), { force: true });
  }
}

/** The journals whose last line is older than a week. Each is locked, and closed before the next. */
export async function* oldJournals<State extends string, Facts extends object>(
  directory: string,
): AsyncGenerator<{ readonly id: string; readonly journal: Journal<State, Facts> }> {
  for (const id of await journalsIn(directory)) {
    const { mtimeMs } = await stat(journalPath(directory, id)).catch(() => ({
      mtimeMs: Date.now(),
    }));
    if (Date.now() - mtimeMs < RETENTION_MS) continue;
    await using journal = await Journal.find<State, Facts>(directory, id);
    if (journal && (await journal.lock())) yield { id, journal };
  }
}

function creationError(id: string, cause: NodeJS.ErrnoException): CriuError {
  // EEXIST of mkdir concerns the directory.
  if (cause.code === 'EEXIST' && cause.syscall === 'open') {
    const message = `migration ${id}: its journal exists already`;
    return new CriuError('ERR_CRIU_MIGRATION_REFUSED', message, { cause });
  }
  const errno = cause.errno === undefined ? undefined : Math.abs(cause.errno);
  const message = `migration ${id}: cannot create its journal: ${cause.message}`;
  return new CriuError('ERR_CRIU_SYSTEM', message, { errno, cause });
}

/** The path of the journal of a migration. */
export function journalPath(directory: string, id: string): string {
  return join(directory, `${id}.journal`);
}

/** Reads a journal; undefined if it does not exist. */
async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/**
 * Reads the last complete line, and when its state was reached. The action of a line that a crash cut off
 * never began.
 */
function parse<State extends string, Facts extends object>(text: string): Content<State, Facts> {
  let [entry, since]: [Content<State, Facts>['entry'], number | undefined] = [undefined, undefined];
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  for (const line of lines.reverse()) {
    const read = parseLine<Entry<State> & Partial<Facts>>(line);
    if (!read) continue;
    if (entry && read.state !== entry.state) break;
    entry ??= read;
    since = read.at;
  }
  return { entry, since, isTorn: text !== '' && !text.endsWith('\n') };
}

/** Undefined for a line that is empty, or was cut off before later lines were added. */
function parseLine<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}
