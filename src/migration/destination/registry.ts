import type { DestinationState } from '../protocol/states.ts';
import type { Incoming } from './incoming.ts';
import {
  type IncomingMigration,
  type MigrationPeer,
  nameOf,
  requireOwner,
} from './serve-options.ts';

/** How many migrations that have ended are listed. */
const MAX_ENDED = 100;

/** The migrations of a server: those that are open, and the last that have ended. */
export class MigrationRegistry {
  readonly #incoming = new Map<string, Incoming>();
  /** How many are listed no more, by the state in which they have ended. */
  readonly #removed = new Map<DestinationState, number>();

  get all(): readonly Incoming[] {
    return [...this.#incoming.values()];
  }

  get open(): readonly Incoming[] {
    return this.all.filter(({ isOpen }) => isOpen);
  }

  get migrations(): IncomingMigration[] {
    return this.all.map(({ migration }) => migration);
  }

  /** Adds a migration, and removes old ones that have ended: their journals remain. */
  add(incoming: Incoming): void {
    this.#incoming.set(incoming.id, incoming);
    const ended = this.all.filter(({ isOpen }) => !isOpen);
    for (const { id, migration } of ended.slice(0, -MAX_ENDED)) {
      this.#incoming.delete(id);
      this.#removed.set(migration.state, (this.#removed.get(migration.state) ?? 0) + 1);
    }
  }

  /** How many migrations are in a state, or have ended in it. */
  count(state: DestinationState): number {
    const listed = this.migrations.filter((one) => one.state === state).length;
    return listed + (this.#removed.get(state) ?? 0);
  }

  /**
   * The migration with an id; undefined if this server does not have it.
   * @throws Error if a host with another name has offered it
   */
  find(id: string, peer: MigrationPeer): Incoming | undefined {
    const incoming = this.#incoming.get(id);
    if (incoming) requireOwner(nameOf(incoming.peer), peer);
    return incoming;
  }
}
