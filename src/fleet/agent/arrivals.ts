import { CriuError } from '../../errors.ts';
import { orderRefused } from '../failure.ts';
import type { TrustedOperator } from '../orders/sign.ts';
import { verifyOrder } from '../orders/sign.ts';
import type { Arrivals, HostBackend } from './backend.ts';
import type { HostStateFile } from './host-state.ts';
import { fromMigrationMetadata, type MoveMetadata, offeredKind } from './move-metadata.ts';
import type { WorkloadTable } from './workload-table.ts';

/** What a host needs to know of itself to judge an arrival. */
export interface ArrivalContext {
  readonly fleet: string;
  readonly name: string;
  readonly operators: readonly TrustedOperator[];
  readonly table: WorkloadTable;
  readonly state: HostStateFile;
  readonly backend: Pick<HostBackend, 'rootOf' | 'specHere'>;
  /** True if a newer copy of the workload was started from a checkpoint. */
  isOutdated(workload: string, generation: number): Promise<boolean>;
  /** Called when a workload has come, or has not. */
  changed(): void;
}

/** Takes the workloads that an operator has ordered to come here, and no others. */
export class OrderedArrivals implements Arrivals {
  readonly #context: ArrivalContext;

  constructor(context: ArrivalContext) {
    this.#context = context;
  }

  async authorize(_id: string, metadata: unknown, peer: string | undefined): Promise<void> {
    const { fleet, name, operators, table, state } = this.#context;
    const move = fromMigrationMetadata(metadata);
    if (!move)
      throw orderRefused('only moves that an operator of the fleet has ordered may come here');
    const { action, host } = verifyOrder(move.order, { fleet, operators, now: Date.now() });
    if (action.kind !== 'move' || action.to !== name || action.workload !== move.spec.name) {
      throw orderRefused(`the order does not say that ${move.spec.name} may come to ${name}`);
    }
    if (move.kind !== offeredKind(metadata)) {
      throw orderRefused(`${move.spec.name} is not what the offer says`);
    }
    if (peer !== undefined && peer !== host) {
      throw orderRefused(`the order is for ${host}, and this comes from ${peer}`);
    }
    if (state.current !== 'ready') throw orderRefused(`${name} is ${state.current}`);
    if (await this.#context.isOutdated(action.workload, move.generation)) {
      throw orderRefused(`${action.workload} was restarted from a checkpoint since`);
    }
    const known = table.get(action.workload);
    if (!known) return;
    const reason = `${name} has a workload ${action.workload}`;
    // An earlier attempt has left a copy, which ends once this host has asked the source.
    if (known.state === 'arriving') throw arrivesAlready(reason);
    throw orderRefused(reason);
  }

  async restored(id: string, metadata: unknown, pid: number): Promise<void> {
    const { table, backend } = this.#context;
    const move = fromMigrationMetadata(metadata) as MoveMetadata;
    const root = backend.rootOf(pid);
    if (!root) throw new Error(`process ${pid} has ended`);
    const { spec, kind, generation } = move;
    await table.put({
      ...{ spec: backend.specHere(spec), kind, generation, root },
      ...{ state: 'arriving', migration: id, since: Date.now() },
    });
  }

  async ended(id: string, hasCopy: boolean): Promise<void> {
    const { table, changed } = this.#context;
    const entry = table.byMigration(id);
    // Idempotent: a new agent is told again.
    if (entry?.state === 'arriving') {
      if (hasCopy) await table.put({ ...entry, state: 'running' });
      else await table.remove(entry.spec.name);
    }
    changed();
  }
}

function arrivesAlready(reason: string): CriuError {
  const message = `${reason} that is arriving`;
  return new CriuError('ERR_CRIU_FLEET', message, { operation: 'move', refusal: 'busy' });
}
