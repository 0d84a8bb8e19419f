import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { INVENTORY } from '../../../images/image-names.ts';
import { type CheckpointId, parseId } from '../../../store/store-directory.ts';
import type { HeldCheckpoints as Record } from '../../redis/checkpoint-records.ts';
import type { FleetKeys } from '../../redis/keys.ts';
import { type CheckpointNote, readNote } from './checkpoint-note.ts';
import type { ReceivedCheckpoints } from './received-checkpoints.ts';

/** A checkpoint on the disk of this host. */
export interface HeldCheckpoint extends CheckpointId, CheckpointNote {
  readonly id: string;
  /** The directory of its store. */
  readonly store: string;
}

/** Which checkpoints this host holds: its own and those of others. The disk is the truth; Redis only shows it. */
export class HeldCheckpoints {
  readonly #own: string;
  readonly #received: ReceivedCheckpoints;
  readonly #host: string;
  #text: string | undefined;
  #changes = 0;

  /** @param own the directory of the store of this host */
  constructor(host: string, own: string, received: ReceivedCheckpoints) {
    this.#host = host;
    this.#own = own;
    this.#received = received;
  }

  /** Has the disk be looked at again. */
  changed(): void {
    this.#text = undefined;
    this.#changes++;
  }

  /** Says in Redis what is held. Redis may have been emptied. */
  async publish(redis: Redis, { checkpoints }: FleetKeys): Promise<void> {
    const changes = this.#changes;
    const known = this.#text;
    const text = known ?? JSON.stringify(newest(await this.list()));
    if (known !== undefined) {
      const length = await redis.hstrlen(checkpoints, this.#host);
      if (length === Buffer.byteLength(text)) return;
    }
    await redis.hset(checkpoints, this.#host, text);
    // Another one may have come while these were listed.
    if (changes === this.#changes) this.#text = text;
  }

  /** Finds a checkpoint by its id. */
  async find(id: string): Promise<HeldCheckpoint | undefined> {
    return (await this.list()).find((one) => one.id === id);
  }

  /** All that are complete and were made by agents. */
  async list(): Promise<HeldCheckpoint[]> {
    const received = (await this.#received.hosts()).map((host) => this.#received.directoryOf(host));
    const found: HeldCheckpoint[] = [];
    for (const store of [this.#own, ...received]) {
      for (const id of await readdir(store).catch(none)) {
        const parts = parseId(id);
        const note = parts && (await noteIn(join(store, id)));
        if (parts && note) found.push({ id, ...parts, ...note, store });
      }
    }
    return found;
  }
}

/** The newest of each workload is enough for the others to know. */
function newest(all: readonly HeldCheckpoint[]): Record {
  const best = new Map<string, HeldCheckpoint>();
  for (const one of all) {
    const known = best.get(one.name);
    if (!known || rank(one) > rank(known)) best.set(one.name, one);
  }
  return Object.fromEntries([...best.values()].map(({ id, generation }) => [id, generation]));
}

/** Generations before times: the clock of another host may have been ahead. */
function rank({ generation, createdAt }: HeldCheckpoint): number {
  return generation * 2 ** 43 + createdAt.getTime();
}

async function noteIn(directory: string): Promise<CheckpointNote | undefined> {
  try {
    const names = await readdir(directory);
    if (!names.includes(INVENTORY)) return undefined;
    return await readNote(directory);
  } catch {
    // It is being removed, or damaged: it cannot be restored.
    return undefined;
  }
}

function none(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
