import { mkdir, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type CheckpointStore, verifyImages } from '../../../index.ts';
import { syncDirectory } from '../../../process/durable.ts';
import { makePrivateDirectory } from '../../../process/private-directory.ts';
import { parseId } from '../../../store/store-directory.ts';
import { isName } from '../../names.ts';
import type { WorkloadSpec } from '../../workload-spec.ts';
import { receiveFiles } from './checkpoint-files.ts';
import { readNote } from './checkpoint-note.ts';

/** A checkpoint that another host sends. */
export interface IncomingCheckpoint {
  /** The host, whose certificate has been checked. */
  readonly host: string;
  readonly id: string;
  /** The length of the body, as it was announced; no more than that is read. */
  readonly bytes: number;
  /** Has the sender begin: called once nothing speaks against the checkpoint. */
  body(): AsyncIterable<Uint8Array>;
}

/** What these checkpoints need of their agent. */
export interface ReceivingContext {
  readonly name: string;
  /** The store of the checkpoints of a host. */
  storeOf(host: string): CheckpointStore;
  /** Called when there is another one. */
  changed(): void;
}

/** The beginning of the name of a directory into which a checkpoint is being received. */
const INCOMING = '.incoming-';
/** This part of a disk stays free: 1/20. */
const RESERVE = 20;
/** How many checkpoints each store keeps if its workload does not say. */
export const KEEP = 3;

/** A checkpoint that this host does not take. */
export class CheckpointRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The checkpoints that other hosts have sent here: those of each host in a directory of its own. */
export class ReceivedCheckpoints {
  readonly #directory: string;
  readonly #context: ReceivingContext;
  /** By the path of where it will be, the bytes of what is being received. */
  readonly #open = new Map<string, number>();

  constructor(directory: string, context: ReceivingContext) {
    this.#directory = directory;
    this.#context = context;
  }

  /** Makes the directory, and removes what an earlier agent has not received whole. */
  async prepare(): Promise<void> {
    await makePrivateDirectory(this.#directory, true);
    for (const host of await this.hosts()) {
      for (const name of await readdir(this.directoryOf(host))) {
        if (!name.startsWith(INCOMING)) continue;
        await rm(join(this.directoryOf(host), name), { recursive: true, force: true });
      }
    }
  }

  /** The hosts that have sent some. */
  async hosts(): Promise<string[]> {
    return (await readdir(this.#directory)).filter(isName);
  }

  directoryOf(host: string): string {
    return join(this.#directory, host);
  }

  /**
   * Receives a checkpoint: it is in the store when it is whole, verified and on the disk. One that is there already is not
   * received again.
   * @throws CheckpointRefused
   */
  async take({ host, id, bytes, body }: IncomingCheckpoint): Promise<void> {
    if (host === this.#context.name) throw new CheckpointRefused(403, 'it comes from this host');
    const parent = this.directoryOf(host);
    const path = join(parent, id);
    if (this.#open.has(path)) throw new CheckpointRefused(409, `${id} is being received`);
    this.#open.set(path, bytes);
    try {
      await this.#requireSpace(bytes);
      await makePrivateDirectory(parent, true);
      if ((await readdir(parent)).includes(id)) return;
      const temporary = join(parent, `${INCOMING}${id}`);
      let spec: WorkloadSpec;
      await mkdir(temporary, { mode: 0o700 });
      try {
        await receiveFiles(body(), temporary);
        spec = await this.#verify(temporary, id);
        await syncDirectory(temporary);
        await rename(temporary, path);
        await syncDirectory(parent);
      } catch (error) {
        await rm(temporary, { recursive: true, force: true });
        throw error;
      }
      const { name, checkpoint: { keep = KEEP } = {} } = spec;
      await this.#context.storeOf(host).prune({ name, keepLast: keep });
    } finally {
      this.#open.delete(path);
    }
    this.#context.changed();
  }

  async #requireSpace(bytes: number): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#directory);
    const announced = [...this.#open.values()].reduce((sum, each) => sum + each, 0);
    if (announced <= bavail * bsize - (blocks * bsize) / RESERVE) return;
    throw new CheckpointRefused(507, `${bytes} bytes are more than the disk of this host has left`);
  }

  /** Returns the specification of the workload. */
  async #verify(directory: string, id: string): Promise<WorkloadSpec> {
    const note = await readNote(directory);
    const { name } = parseId(id) ?? {};
    if (!note) throw new CheckpointRefused(422, 'it does not say what the workload is');
    if (note.spec.name !== name) {
      throw new CheckpointRefused(422, `${id} is not a checkpoint of ${note.spec.name}`);
    }
    const [finding] = await verifyImages(directory, { deep: true });
    // The path of a temporary directory says nothing to the sender.
    if (!finding) return note.spec;
    throw new CheckpointRefused(422, `${basename(finding.path)} is damaged (${finding.code})`);
  }
}
