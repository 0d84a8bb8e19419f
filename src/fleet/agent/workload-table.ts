import { join } from 'node:path';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import type { WorkloadKind } from '../view.ts';
import type { WorkloadSpec } from '../workload-spec.ts';
import type { WorkloadRoot } from './backend.ts';
import { StateDirectory } from './state-directory.ts';

/**
 * What a host knows of a workload.
 * - `running`: it is here.
 * - `moving`: a migration from here is under way, or has to be resolved.
 * - `arriving`: a copy of it is restored here, and does not run yet.
 */
export interface WorkloadEntry {
  readonly spec: WorkloadSpec;
  readonly kind: WorkloadKind;
  readonly root: WorkloadRoot;
  readonly state: 'running' | 'moving' | 'arriving';
  /** The id of the migration that it moves by, or came by. */
  readonly migration: string | undefined;
  readonly generation: number;
  /** When it came here, in milliseconds since 1970. */
  readonly since: number;
}

/** The workloads of a host, which a new agent finds again. */
export class WorkloadTable {
  readonly #files: StateDirectory<WorkloadEntry>;
  readonly #queue = new SerialQueue();
  #entries = new Map<string, WorkloadEntry>();

  constructor(directory: string) {
    this.#files = new StateDirectory(join(directory, 'workloads'));
  }

  async load(): Promise<void> {
    this.#entries = await this.#files.load();
  }

  get all(): WorkloadEntry[] {
    return [...this.#entries.values()];
  }

  get(name: string): WorkloadEntry | undefined {
    return this.#entries.get(name);
  }

  /** The workload that a migration moves, or has brought. */
  byMigration(id: string): WorkloadEntry | undefined {
    return this.all.find(({ migration }) => migration === id);
  }

  /** Durably writes what has become of a workload. */
  async put(entry: WorkloadEntry): Promise<void> {
    const { name } = entry.spec;
    this.#entries.set(name, entry);
    await this.#queue.run(() => this.#files.write(name, entry));
  }

  async remove(name: string): Promise<void> {
    this.#entries.delete(name);
    await this.#queue.run(() => this.#files.remove(name));
  }
}
