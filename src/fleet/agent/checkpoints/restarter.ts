import type { Redis } from 'ioredis';
import type { RestoreOptions } from '../../../index.ts';
import { endTrees } from '../../../process/kill-tree.ts';
import { fleetFailure, orderRefused } from '../../failure.ts';
import { isName } from '../../names.ts';
import type { Action, Order } from '../../orders/order.ts';
import type { FleetKeys } from '../../redis/keys.ts';
import { readView } from '../../redis/records.ts';
import type { WorkloadSpec } from '../../workload-spec.ts';
import type { HostBackend } from '../backend.ts';
import { withAddresses } from '../workload-addresses.ts';
import type { WorkloadTable } from '../workload-table.ts';
import type { CheckpointKeeper, CheckpointTools } from './checkpoint-keeper.ts';
import { RestartClaims } from './restart-claim.ts';

/** An order to restart a workload. */
export type RestartOrder = Order<Extract<Action, { readonly kind: 'restart' }>>;

/** What has become of a restart. */
export interface RestartOutcome {
  readonly pid: number;
  readonly checkpoint: string;
  readonly generation: number;
}

/** What a restarter needs of its agent. */
export interface RestartContext {
  readonly name: string;
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly table: WorkloadTable;
  readonly keeper: CheckpointKeeper;
  readonly backend: Pick<HostBackend, 'rootOf' | 'isRunning' | 'specHere'>;
  readonly tools: CheckpointTools;
  /** Says in Redis what this host has. */
  publish(): Promise<void>;
}

const OPERATION = 'restart';

/** Starts workloads of lost hosts from the checkpoints that this host holds. */
export class Restarter {
  readonly #context: RestartContext;
  readonly #claims: RestartClaims;

  constructor(context: RestartContext) {
    this.#context = context;
    this.#claims = new RestartClaims(context.redis, context.keys, context.name);
  }

  /**
   * Restarts a workload. A second attempt finds what the first has started, because that is on the disk before the copy runs.
   * @param note durably notes the order, by which the copy on the lost host ends if it comes back
   */
  async restart(order: RestartOrder, note: () => Promise<void>): Promise<RestartOutcome> {
    const { workload, checkpoint, lostHost, generation } = order.action;
    const areNames = [workload, lostHost].every(isName) && typeof checkpoint === 'string';
    if (!areNames || !Number.isSafeInteger(generation))
      throw orderRefused('the order is incomplete');
    const { table, backend, publish } = this.#context;
    const known = table.get(workload);
    if (known && known.generation === generation && backend.isRunning(known.root)) {
      const pid = await this.#withAddresses(known.spec, async () => known.root.pid);
      return { pid, checkpoint, generation };
    }
    if (known && (known.generation > generation || backend.isRunning(known.root))) {
      throw orderRefused(`this host has a workload ${workload}`);
    }
    const holder = await this.#claims.take(workload);
    if (holder !== undefined) throw orderRefused(`${holder} is restarting ${workload}`);
    try {
      await this.#requireLost(order);
      await note();
      const pid = await this.#restore(order);
      await publish();
      return { pid, checkpoint, generation };
    } finally {
      await this.#claims.release(workload);
    }
  }

  /** @throws CriuError ERR_CRIU_FLEET_REFUSED if a copy runs, as far as the fleet knows */
  async #requireLost({ action }: RestartOrder): Promise<void> {
    const { redis, keys, name } = this.#context;
    const { workload, lostHost, generation } = action;
    const view = await readView(redis, keys);
    const lost = view.hosts.find((host) => host.name === lostHost);
    if (lost?.isAlive && !lost.isFenced) {
      throw orderRefused(`${lostHost} is alive again, with what runs there`);
    }
    const other = view.workloads.find(
      (one) => one.name === workload && one.host !== lostHost && one.host !== name,
    );
    const isFenced = view.hosts.some((host) => host.name === other?.host && host.isFenced);
    if (other && (other.generation >= generation || !isFenced)) {
      throw orderRefused(`${other.host} has a workload ${workload}`);
    }
  }

  async #restore({ action }: RestartOrder): Promise<number> {
    const { keeper, table, backend, tools } = this.#context;
    const { workload, checkpoint, generation } = action;
    const held = await keeper.held.find(checkpoint);
    if (held?.name !== workload) {
      throw fleetFailure(OPERATION, `this host does not hold the checkpoint ${checkpoint}`);
    }
    const store = keeper.storeAt(held.store);
    const { kind } = held;
    const spec = backend.specHere(held.spec);
    return await this.#withAddresses(spec, async () => {
      let isNoted = false;
      try {
        const options = {
          ...(tools.restore as Partial<RestoreOptions>),
          // The clients have given up, or will: the connections of the lost host are closed.
          ...{ tcpEstablished: false, tcpClose: true },
          hooks: {
            postRestore: async (pid: number) => {
              const root = backend.rootOf(pid);
              if (!root) throw new Error(`process ${pid} has ended`);
              isNoted = true;
              // Before anything runs: the next agent must find this copy.
              await table.put({
                ...{ spec, kind, root, generation, state: 'running', migration: undefined },
                since: Date.now(),
              });
            },
          },
        };
        if (!('container' in spec)) return (await store.restore(checkpoint, options)).pid;
        return await store.use(checkpoint, ({ directory }) =>
          tools.containers.restore(OPERATION, spec, directory, options),
        );
      } catch (error) {
        if (isNoted) await table.remove(workload);
        throw error;
      }
    });
  }

  /** Also for a copy that runs: the agent may have ended before it had its addresses. */
  async #withAddresses(spec: WorkloadSpec, start: () => Promise<number>): Promise<number> {
    const { table, tools } = this.#context;
    return await withAddresses({
      ...{ operation: OPERATION, spec, allowed: tools.allowAddresses, start },
      end: async (pid) => {
        await endTrees([pid]);
        await table.remove(spec.name);
      },
    });
  }
}
