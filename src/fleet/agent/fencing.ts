import type { Redis } from 'ioredis';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import { endTrees } from '../../process/kill-tree.ts';
import type { Action, Order, SignedOrder } from '../orders/order.ts';
import { type TrustedOperator, verifyOrder } from '../orders/sign.ts';
import type { FleetKeys } from '../redis/keys.ts';
import type { HostBackend } from './backend.ts';
import { StateDirectory } from './state-directory.ts';
import { releaseAddresses } from './workload-addresses.ts';
import type { WorkloadEntry, WorkloadTable } from './workload-table.ts';

/** What fencing needs of its agent. */
export interface FencingContext {
  readonly fleet: string;
  readonly name: string;
  readonly operators: readonly TrustedOperator[];
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly table: WorkloadTable;
  readonly backend: Pick<HostBackend, 'isRunning'>;
  /** Called when copies have been ended: the host takes nothing until an operator says so. */
  ended(names: readonly string[], reason: string): Promise<void>;
}

interface Known {
  /** The ids of the orders by which this host was fenced, so that none of them does so again. */
  readonly fences: readonly string[];
  /** The orders by which this host has restarted workloads, by their names. */
  readonly restarted: Readonly<Record<string, SignedOrder>>;
}

type Kind = Action['kind'];

const FILE = 'fencing';

/**
 * Ends the copies that an operator has declared dead. Redis brings the orders that say so and is not trusted: an operator
 * has signed them, and each fences once.
 */
export class Fencing {
  readonly #context: FencingContext;
  readonly #files: StateDirectory<Known>;
  /** An order and a heartbeat may look at the same time, and what is dead is ended once. */
  readonly #queue = new SerialQueue();
  #known: Known = { fences: [], restarted: {} };

  constructor(directory: string, context: FencingContext) {
    this.#context = context;
    this.#files = new StateDirectory(directory);
  }

  async load(): Promise<void> {
    this.#known = (await this.#files.load()).get(FILE) ?? this.#known;
  }

  /** Remembers that a workload was restarted here, and has the fleet know. */
  async noteRestart(workload: string, order: SignedOrder): Promise<void> {
    const { fences, restarted } = this.#known;
    await this.#write({ fences, restarted: { ...restarted, [workload]: order } });
    await this.publish();
  }

  /** Says in Redis what was restarted here. Redis may have been emptied. */
  async publish(): Promise<void> {
    const { redis, keys } = this.#context;
    const mine = Object.entries(this.#known.restarted);
    if (mine.length === 0) return;
    const there = await redis.hmget(keys.restarted, ...mine.map(([workload]) => workload));
    for (const [index, [workload, signed]] of mine.entries()) {
      if (this.#generationIn(there[index]) >= generationOf(signed)) continue;
      await redis.hset(keys.restarted, workload, JSON.stringify(signed));
    }
  }

  /**
   * Ends the copies on this host that were started elsewhere, or all if the host is fenced. Called before anything else is
   * done with them.
   */
  async check(): Promise<void> {
    await this.#queue.run(() => this.#check());
  }

  async #check(): Promise<void> {
    const { redis, keys, name, table } = this.#context;
    const entries = table.all;
    const names = entries.map(({ spec }) => spec.name);
    const [fence, orders] = await Promise.all([
      redis.hget(keys.fenced, name),
      names.length > 0 ? redis.hmget(keys.restarted, ...names) : [],
    ]);
    const order = this.#read(fence, 'fence');
    if (order?.host === name && !this.#known.fences.includes(order.id)) {
      await this.#end(entries, `${order.operator} has fenced this host`);
      const { fences, restarted } = this.#known;
      // Only now: an agent that dies before this does it again.
      await this.#write({ fences: [...fences, order.id], restarted });
      return;
    }
    const outdated = entries.filter(
      ({ generation }, index) => this.#generationIn(orders[index]) > generation,
    );
    if (outdated.length > 0) await this.#end(outdated, 'they were restarted on another host');
  }

  /** An operator has looked at the host: it is one of the fleet again. */
  async lift(): Promise<void> {
    const { redis, keys, name } = this.#context;
    await redis.hdel(keys.fenced, name);
  }

  /** True if a workload of that generation was restarted since. */
  async isOutdated(workload: string, generation: number): Promise<boolean> {
    const { redis, keys } = this.#context;
    return this.#generationIn(await redis.hget(keys.restarted, workload)) > generation;
  }

  async #end(entries: readonly WorkloadEntry[], reason: string): Promise<void> {
    const { backend, table, ended } = this.#context;
    const running = entries.filter(({ root }) => backend.isRunning(root));
    await endTrees(running.map(({ root }) => root.pid));
    // Another host may have them.
    await releaseAddresses(entries.flatMap(({ spec }) => spec.addresses ?? []));
    for (const { spec } of entries) await table.remove(spec.name);
    await ended(
      running.map(({ spec }) => spec.name),
      reason,
    );
  }

  #generationIn(text: string | null | undefined): number {
    const { action } = this.#read(text, 'restart') ?? {};
    return action?.kind === 'restart' ? action.generation : -1;
  }

  /** The order in a text, if an operator of the fleet has signed it, whenever that was. */
  #read(text: string | null | undefined, kind: Kind): Order | undefined {
    if (!text) return undefined;
    const { fleet, operators } = this.#context;
    try {
      const signed = JSON.parse(text) as SignedOrder;
      const { issuedAt } = JSON.parse(signed.body) as Order;
      const order = verifyOrder(signed, { fleet, operators, now: issuedAt });
      return order.action.kind === kind ? order : undefined;
    } catch {
      return undefined;
    }
  }

  async #write(known: Known): Promise<void> {
    await this.#files.write(FILE, known);
    this.#known = known;
  }
}

function generationOf({ body }: SignedOrder): number {
  const { action } = JSON.parse(body) as Order;
  return action.kind === 'restart' ? action.generation : -1;
}
