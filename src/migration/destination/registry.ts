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
    for (const { id } of ended.slice(0, -MAX_ENDED)) this.#incoming.delete(id);
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
