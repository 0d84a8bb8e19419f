import { join } from 'node:path';
import type { Redis } from 'ioredis';
import {
  CheckpointStore,
  type Criu,
  type DumpOptions,
  type MigrationAddress,
  type MigrationRestoreOptions,
} from '../../../index.ts';
import { fleetFailure } from '../../failure.ts';
import type { FleetKeys } from '../../redis/keys.ts';
import { readView } from '../../redis/records.ts';
import type { HostContainers } from '../host-containers.ts';
import type { WorkloadLocks } from '../workload-locks.ts';
import type { WorkloadEntry, WorkloadTable } from '../workload-table.ts';
import { writeNote } from './checkpoint-note.ts';
import { CheckpointServer, type CheckpointServerOptions } from './checkpoint-server.ts';
import { HeldCheckpoints } from './held-checkpoints.ts';
import { KEEP, ReceivedCheckpoints } from './received-checkpoints.ts';
import { secondHost } from './second-host.ts';
import { sendCheckpoint } from './send-checkpoint.ts';

/** With what an agent makes and takes checkpoints. */
export interface CheckpointTools {
  readonly criu: Criu;
  /** Options of restores on this host. */
  readonly restore: MigrationRestoreOptions | undefined;
  /** Ranges of addresses that may come here. */
  readonly allowAddresses: readonly MigrationAddress[] | undefined;
  readonly containers: HostContainers;
  readonly server: CheckpointServerOptions;
}

/** What the keeper needs of its agent. */
export interface KeeperContext extends CheckpointTools {
  readonly name: string;
  /** The directory of the agent's state. */
  readonly directory: string;
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly table: WorkloadTable;
  readonly locks: WorkloadLocks;
  isRunning(entry: WorkloadEntry): boolean;
  /** Called when this host holds another checkpoint. */
  changed(): void;
}

const OPERATION = 'checkpoint';
/** A job that comes earlier than this part of the interval is not due: anybody who writes to Redis can add one. */
const DUE = 0.8;
/** To how many hosts a checkpoint is offered. */
const OFFERS = 3;

/** Makes checkpoints of the workloads of a host, sends each to a second host, and keeps those that others send here. */
export class CheckpointKeeper implements AsyncDisposable {
  readonly #context: KeeperContext;
  readonly #stores = new Map<string, CheckpointStore>();
  readonly #received: ReceivedCheckpoints;
  readonly #second = new Map<string, string>();
  readonly #closing = new AbortController();
  readonly #own: string;
  readonly held: HeldCheckpoints;
  #server: CheckpointServer | undefined;

  constructor(context: KeeperContext) {
    this.#context = context;
    this.#own = join(context.directory, 'checkpoints');
    const changed = () => {
      this.held.changed();
      context.changed();
    };
    const storeOf = (host: string) => this.storeAt(this.#received.directoryOf(host));
    this.#received = new ReceivedCheckpoints(join(context.directory, 'received'), {
      ...{ name: context.name, storeOf, changed },
    });
    this.held = new HeldCheckpoints(context.name, this.#own, this.#received);
  }

  /** Takes checkpoints of other hosts from now on. */
  async start(): Promise<void> {
    await this.#received.prepare();
    this.#server = await CheckpointServer.listen(this.#context.server, this.#received);
  }

  get port(): number | undefined {
    return this.#server?.port;
  }

  storeAt(directory: string): CheckpointStore {
    const known = this.#stores.get(directory);
    if (known) return known;
    const store = new CheckpointStore(directory, { criu: this.#context.criu });
    this.#stores.set(directory, store);
    return store;
  }

  /**
   * Makes a checkpoint of a workload if its specification says so and one is due. Nobody has signed the wish: it may do no
   * more than that.
   * @returns the id; undefined if there is nothing to do
   */
  async checkpoint(
    workload: string,
  ): Promise<{ id: string; host: string | undefined } | undefined> {
    const { table, locks, changed } = this.#context;
    // What is being moved is checkpointed at its next host.
    if (table.get(workload) === undefined || locks.isTaken(workload)) return undefined;
    const made = await locks.run(workload, () => this.#make(workload));
    if (!made) return undefined;
    this.held.changed();
    changed();
    return { id: made.id, host: await this.#send(workload, made) };
  }

  async #make(workload: string) {
    const { table, containers, isRunning } = this.#context;
    const entry = table.get(workload);
    const { checkpoint } = entry?.spec ?? {};
    if (!entry || !checkpoint || entry.state !== 'running' || !isRunning(entry)) return undefined;
    const store = this.storeAt(this.#own);
    const { spec, kind, generation, root } = entry;
    const last = await store.latest(workload);
    const age = Date.now() - (last?.createdAt.getTime() ?? 0);
    // A clock that was set back must not end the checkpoints.
    if (age >= 0 && age < DUE * checkpoint.every) return undefined;
    if (kind === 'copy') {
      throw fleetFailure(OPERATION, `${workload} is a copy of a template, which is its checkpoint`);
    }
    const target = 'container' in spec ? await containers.open(spec) : root.pid;
    const dump = { tcpEstablished: true, ...(spec.dump as Partial<DumpOptions>) };
    const made = await store.checkpoint(target, { ...dump, name: workload, leaveRunning: true });
    await writeNote(made.directory, { spec, kind, generation });
    await store.prune({ name: workload, keepLast: checkpoint.keep ?? KEEP });
    return made;
  }

  /** Sends a checkpoint to a second host; returns its name. @throws CriuError if no host takes it */
  async #send(
    workload: string,
    {
      id,
      directory,
      bytes,
    }: { readonly id: string; readonly directory: string; readonly bytes: number },
  ): Promise<string | undefined> {
    const { name: own, redis, keys, server } = this.#context;
    const view = await readView(redis, keys);
    const exclude: string[] = [];
    let failure: unknown;
    while (exclude.length < OFFERS) {
      const current = this.#second.get(workload);
      const host = secondHost(view, { workload, own, bytes, current, exclude });
      if (!host) break;
      const target = {
        ...{ name: host.name, host: host.endpoint.host, port: host.checkpointPort ?? 0 },
      };
      const sender = { name: own, tls: server.tls, signal: this.#closing.signal };
      try {
        await sendCheckpoint(id, directory, target, sender);
        this.#second.set(workload, host.name);
        return host.name;
      } catch (error) {
        this.#closing.signal.throwIfAborted();
        failure = error;
        this.#second.delete(workload);
        exclude.push(host.name);
      }
    }
    throw (
      failure ?? fleetFailure(OPERATION, `${id} is on this host only: no other one can take it`)
    );
  }

  /** Ends what is being sent and received. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#server?.[Symbol.asyncDispose]();
    for (const store of this.#stores.values()) await store[Symbol.asyncDispose]();
  }
}
