import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { INVENTORY, STAGING } from '../images/image-names.ts';
import { type CheckpointManifest, manifestIn } from '../images/manifest.ts';
import { syncDirectory } from '../process/durable.ts';
import { remoteFiles } from '../process/files.ts';
import { makePrivateDirectory } from '../process/private-directory.ts';
import { DirectoryLock } from './directory-lock.ts';

/** A name of checkpoints: without a slash, and not hidden. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** `web.20261129T194512345Z-9f3a02` */
const ID = /^(.+)\.(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[0-9a-f]{6}$/;
/** Beginning of the name of a directory that is being removed. */
const REMOVED = '.removed-';
/** How long the log of a dump that failed stays. */
const LOGS_STAY_MS = 24 * 60 * 60 * 1000;
/** After this time a directory without content is not one that is about to be locked. */
const EMPTY_STAYS_MS = 60_000;

/** The parts of an id. */
export interface CheckpointId {
  readonly name: string;
  readonly createdAt: Date;
}

/** A complete checkpoint in the directory. */
export interface FoundCheckpoint extends CheckpointId {
  readonly id: string;
  readonly directory: string;
  readonly manifest: CheckpointManifest;
}

/** Takes an id apart; undefined if it is none. */
export function parseId(id: string): CheckpointId | undefined {
  const [, name = '', year, month, day, hour, minute, second, ms] = ID.exec(id) ?? [];
  if (!NAME.test(name)) return undefined;
  const createdAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(createdAt.getTime()) ? undefined : { name, createdAt };
}

/** An id that no other checkpoint has. */
function newId(name: string, at: Date): string {
  return `${name}.${at.toISOString().replace(/[-:.]/g, '')}-${randomBytes(3).toString('hex')}`;
}

/**
 * The directory of a store: one directory for each checkpoint, named by its id. Who makes or removes a checkpoint
 * has an exclusive lock on its directory, and who reads it, or makes one that refers to it, a shared one.
 */
export class StoreDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The path of a checkpoint. */
  pathOf(id: string): string {
    return join(this.path, id);
  }

  /** Makes an empty directory for a checkpoint, and locks it. */
  async begin(name: string): Promise<{ id: string; lock: DirectoryLock }> {
    await makePrivateDirectory(this.path, true);
    for (;;) {
      const id = newId(name, new Date());
      await mkdir(this.pathOf(id), { mode: 0o700 });
      const lock = await DirectoryLock.take(this.pathOf(id), 'exclusive');
      // Nobody else locks an empty directory that is new.
      if (lock) return { id, lock };
    }
  }

  /**
   * Lists the complete checkpoints, the newest first.
   * @throws CriuError ERR_CRIU_BAD_IMAGE if a manifest is damaged
   */
  async list(operation: string): Promise<FoundCheckpoint[]> {
    const found: FoundCheckpoint[] = [];
    for (const name of await this.#names()) {
      const checkpoint = await this.find(operation, name);
      if (checkpoint) found.push(checkpoint);
    }
    return found.sort(
      (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1),
    );
  }

  /** Finds a complete checkpoint; undefined if there is none with this id. */
  async find(operation: string, id: string): Promise<FoundCheckpoint | undefined> {
    const parts = parseId(id);
    if (!parts) return undefined;
    const directory = this.pathOf(id);
    if (!isComplete(await readdir(directory).catch(() => []))) return undefined;
    const manifest = await manifestIn(operation, directory, remoteFiles);
    return manifest?.kind === 'dump' ? { id, ...parts, directory, manifest } : undefined;
  }

  /** A checkpoint and its parents, as far as they are there. */
  async chainOf(operation: string, first: FoundCheckpoint): Promise<FoundCheckpoint[]> {
    const chain: FoundCheckpoint[] = [];
    for (let at: FoundCheckpoint | undefined = first; at; ) {
      chain.push(at);
      const parent = parentOf(at);
      const isKnown = chain.some(({ id }) => id === parent);
      at = parent === undefined || isKnown ? undefined : await this.find(operation, parent);
    }
    return chain;
  }

  /** Removes a checkpoint in one step. Returns false if somebody makes or uses it, or it is gone. */
  async remove(id: string): Promise<boolean> {
    await using lock = await DirectoryLock.take(this.pathOf(id), 'exclusive');
    if (!lock) return false;
    const removed = join(this.path, `${REMOVED}${id}`);
    await rename(this.pathOf(id), removed);
    await syncDirectory(this.path);
    await rm(removed, { recursive: true });
    return true;
  }

  /** Removes what ended processes have left: removals that they began, and images of dumps that did not end. */
  async removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.path).catch(() => [])) {
      const path = join(this.path, name);
      if (name.startsWith(REMOVED)) await rm(path, { recursive: true, force: true });
      else if (parseId(name)) await removeIncomplete(path);
    }
  }

  async #names(): Promise<string[]> {
    return await readdir(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  }
}

/** Removes a directory that has no checkpoint and in which nobody makes one; a log stays for a day. */
async function removeIncomplete(path: string): Promise<void> {
  const names = await readdir(path).catch(() => undefined);
  if (!names || isComplete(names)) return;
  const age = Date.now() - (await stat(path)).mtimeMs;
  if (names.length === 0) {
    if (age > EMPTY_STAYS_MS) await rmdir(path).catch(() => {});
    return;
  }
  if (!names.some((name) => name.startsWith(STAGING)) && age < LOGS_STAY_MS) return;
  await using lock = await DirectoryLock.take(path, 'exclusive');
  if (!lock || isComplete(await readdir(path))) return;
  await rm(path, { recursive: true });
}

/** The inventory comes last: without it CRIU cannot restore the others. */
function isComplete(names: readonly string[]): boolean {
  return names.includes(INVENTORY);
}

/** The id of the parent of a checkpoint of the same store. */
export function parentOf({ manifest: { parent } }: FoundCheckpoint): string | undefined {
  if (parent === undefined) return undefined;
  const id = basename(parent);
  return parseId(id) && parent === `../${id}` ? id : undefined;
}
