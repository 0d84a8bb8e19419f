import type { Objector, OpenMigration } from './admission.ts';
import type { MigrationRegistry } from './registry.ts';
import { type MigrationPeer, nameOf } from './serve-options.ts';

/** Each migration holds a journal, connections, and memory or disk. */
export const DEFAULT_MAX_MIGRATIONS = 64;
/** The part of them that one host may have, so that it cannot keep all others out. */
const PART_OF_PEER = 3 / 4;

/** A place among the migrations of a server, held from before an offer is checked. */
export interface Slot extends Disposable {
  /** Keeps memory and disk for the migration until it is registered. */
  reserve(migration: OpenMigration): void;
}

/** What a slot is held for. */
interface Holder {
  readonly peer: MigrationPeer;
  reserved?: OpenMigration;
}

/** Counts the migrations to a server, those included that are not accepted yet. */
export class Slots {
  readonly #registry: Pick<MigrationRegistry, 'open'>;
  readonly #held = new Map<Slot, Holder>();
  readonly #max: number;
  readonly #maxOfPeer: number;

  constructor(registry: Pick<MigrationRegistry, 'open'>, max = DEFAULT_MAX_MIGRATIONS) {
    this.#registry = registry;
    this.#max = max;
    this.#maxOfPeer = Math.ceil(max * PART_OF_PEER);
  }

  /** Takes a slot; undefined after an objection. */
  take(peer: MigrationPeer, object: Objector): Slot | undefined {
    const peers = [...this.#registry.open, ...this.#held.values()].map((one) => nameOf(one.peer));
    const name = nameOf(peer);
    // Without certificates, peers cannot be told apart.
    const isFull = peers.length >= this.#max;
    const isGreedy =
      name !== undefined && peers.filter((one) => one === name).length >= this.#maxOfPeer;
    if (isFull || isGreedy) {
      const most = isFull ? this.#max : this.#maxOfPeer;
      const which = `${most} ${most === 1 ? 'migration' : 'migrations'}${isFull ? '' : ' from one host'}`;
      object(
        `There ${most === 1 ? 'is' : 'are'} ${which} under way to this host.`,
        'Wait until one has ended, or choose another host.',
        'busy',
      );
      return undefined;
    }
    const holder: Holder = { peer };
    const slot: Slot = {
      reserve: (migration) => {
        holder.reserved = migration;
      },
      [Symbol.dispose]: () => void this.#held.delete(slot),
    };
    this.#held.set(slot, holder);
    return slot;
  }

  /** All migrations that memory and disk are kept for. */
  get users(): OpenMigration[] {
    const open = this.#registry.open.map(({ status, offer }) => ({ ...offer, ...status }));
    return [...open, ...[...this.#held.values()].flatMap(({ reserved }) => reserved ?? [])];
  }
}
