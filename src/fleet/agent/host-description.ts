import { formatMigrationAddress } from '../../migration/protocol/address-options.ts';
import type { HostRecord, WorkloadRecord } from '../redis/records.ts';
import type { FleetHost } from '../view.ts';
import type { HostBackend } from './backend.ts';
import type { HostStateFile } from './host-state.ts';
import type { MemberOptions } from './member-options.ts';
import type { Mover } from './mover.ts';
import type { Publisher } from './publication.ts';
import type { WorkloadEntry, WorkloadTable } from './workload-table.ts';

/** What a host is described by. */
export interface DescribedHost {
  readonly name: string;
  readonly options: Pick<MemberOptions, 'labels' | 'limits' | 'allowAddresses' | 'containers'>;
  readonly table: WorkloadTable;
  readonly state: HostStateFile;
  readonly mover: Pick<Mover, 'destinationOf'>;
  readonly backend: HostBackend;
  /** Where it takes workloads. */
  endpoint(): FleetHost['endpoint'];
  /** The port on which it takes checkpoints; undefined if it takes none. */
  checkpointPort(): number | undefined;
}

/** Describes a host and its workloads, as its journals and its processes have them. */
export class HostDescription implements Publisher {
  readonly #context: DescribedHost;

  constructor(context: DescribedHost) {
    this.#context = context;
  }

  /** What the host is and has left. A drain ends here, once nothing is left that runs. */
  async host(): Promise<HostRecord> {
    const { name, table, state, backend, endpoint, checkpointPort } = this.#context;
    const { labels, limits, allowAddresses = [], containers } = this.#context.options;
    const facts = await backend.facts();
    const isEmpty = table.all.every((entry) => this.#stateOf(entry) === 'ended');
    if (state.current === 'draining' && isEmpty) await state.set('drained');
    return {
      ...{ name, labels, limits, facts, seenAt: Date.now() },
      ...{ state: state.current, endpoint: endpoint(), checkpointPort: checkpointPort() },
      takesContainers: containers !== undefined,
      allowAddresses: allowAddresses.map(formatMigrationAddress),
    };
  }

  /** The workloads that are here, also those that have ended. */
  async workloads(): Promise<WorkloadRecord[]> {
    const { table, backend, mover } = this.#context;
    return await Promise.all(
      table.all
        .filter(({ state }) => state !== 'arriving')
        .map(async (entry) => {
          const { spec, kind, root, generation, since } = entry;
          const state = this.#stateOf(entry);
          const isHere = state !== 'ended';
          return {
            ...{ name: spec.name, kind, pid: root.pid, generation, since, state },
            labels: spec.labels ?? {},
            placement: spec.placement ?? {},
            addresses: (spec.addresses ?? []).map(formatMigrationAddress),
            allowPostCopy: spec.allowPostCopy ?? false,
            memoryBytes: isHere ? await backend.memoryBytes(root) : 0,
            movingTo: state === 'moving' ? mover.destinationOf(spec.name) : undefined,
          };
        }),
    );
  }

  #stateOf({ spec, root, state }: WorkloadEntry): WorkloadRecord['state'] {
    const { mover, backend } = this.#context;
    if (state === 'moving') return mover.destinationOf(spec.name) ? 'moving' : 'unresolved';
    return backend.isRunning(root) ? 'running' : 'ended';
  }
}
