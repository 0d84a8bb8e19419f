import {
  type IncomingFacts,
  type IncomingJournal,
  incomingJournals,
} from '../journal/incoming-journal.ts';
import { Journal } from '../journal/journal.ts';
import { thisAgent } from '../protocol/identity.ts';
import { type DestinationState, isFinal, mayAbort } from '../protocol/states.ts';
import type { CopyStatus } from '../protocol/status.ts';
import { dropAddresses, takeAddresses } from './addresses/incoming-addresses.ts';
import {
  type IncomingMigration,
  type MigrationPeer,
  type MigrationServerHooks,
  nameOf,
  SERVE,
} from './serve-options.ts';

/** The journal of one migration to this host, and the hooks that depend on it. */
export class IncomingRecord {
  readonly #id: string;
  readonly #journal: IncomingJournal;
  readonly #hooks: MigrationServerHooks;
  /** Counts the pages and images received so far, in bytes. */
  countBytes: (() => number) | undefined;

  /** @throws CriuError ERR_CRIU_MIGRATION_REFUSED if there was such a migration */
  static async create(
    directory: string,
    id: string,
    hooks: MigrationServerHooks,
    peer: MigrationPeer,
  ): Promise<IncomingRecord> {
    const journal = await Journal.create<DestinationState, IncomingFacts>(
      incomingJournals(directory),
      id,
    );
    const record = new IncomingRecord(id, journal, hooks);
    const owner = nameOf(peer);
    await record.write('receiving', {
      ...{ agent: thisAgent(), peer: peer.name ?? peer.address },
      ...(owner !== undefined && { owner }),
    });
    return record;
  }

  constructor(id: string, journal: IncomingJournal, hooks: MigrationServerHooks) {
    this.#id = id;
    this.#journal = journal;
    this.#hooks = hooks;
  }

  get facts(): Partial<IncomingFacts> {
    return this.#journal.entry ?? {};
  }

  get state(): DestinationState {
    return this.#journal.entry?.state ?? 'unknown';
  }

  get status(): CopyStatus {
    const { pid, message, refusal } = this.facts;
    return { state: this.state, pid, message, refusal };
  }

  /** The status for the users of the server. */
  get migration(): IncomingMigration {
    const { pid, message, peer } = this.facts;
    return { id: this.#id, state: this.state, pid, message, peer, bytes: this.countBytes?.() };
  }

  /** True until the migration is complete, aborted or failed. */
  get isOpen(): boolean {
    return !isFinal(this.state);
  }

  /** True while the migration can be aborted, since its copy has not run. */
  get canAbort(): boolean {
    return this.isOpen && mayAbort(this.state);
  }

  /** @throws Error if the migration has left the state `receiving` */
  requireReceiving(): void {
    const { state, message } = this.status;
    if (state === 'receiving') return;
    throw new Error(`the migration is ${state}${message === undefined ? '' : `: ${message}`}`);
  }

  /** Writes a state, and calls the hook `changed`. */
  async write(state: DestinationState, facts: Partial<IncomingFacts> = {}): Promise<void> {
    await this.#journal.write(state, facts);
    // An async function, so that no error of the hook gets out.
    (async () => this.#hooks.changed?.(this.migration))().catch(() => {});
  }

  /** Notes, before the hooks around the restore are called, that `afterMigration` is due. */
  async noteSetUp(): Promise<void> {
    const { beforeRestore, afterRestore, afterMigration } = this.#hooks;
    if (!beforeRestore && !afterRestore && !afterMigration) return;
    await this.#journal.write(this.state, { isSetUp: true });
  }

  /** Writes facts, before what they announce is done. */
  async note(facts: Partial<IncomingFacts>): Promise<void> {
    await this.#journal.write(this.state, facts);
  }

  /**
   * Removes the addresses that this host has for the migration. Sockets must end after that: the kernel
   * answers packets for an address that has no socket with a reset.
   */
  async dropAddresses(): Promise<void> {
    if (!this.facts.addressesOn) return;
    if (await dropAddresses(this.#id, this.facts)) await this.note({ addressesOn: '' });
  }

  /** Completes the move of the addresses to a copy that runs. */
  async keepAddresses(): Promise<void> {
    if (!this.facts.addressesOn) return;
    try {
      await takeAddresses(this.facts);
      await this.note({ addressesOn: '' });
    } catch (error) {
      // The next server in the same directory tries again.
      process.emitWarning(
        `${SERVE}: migration ${this.#id} is complete, but this host ${(error as Error).message}`,
      );
    }
  }

  /** Calls the hook `afterMigration` if it is due. */
  async tearDown(): Promise<void> {
    if (!this.facts.isSetUp) return;
    try {
      await this.#hooks.afterMigration?.(this.migration);
      await this.#journal.write(this.state, { isSetUp: false });
    } catch {
      // The next server in the same directory calls the hook again.
    }
  }

  async close(): Promise<void> {
    await this.#journal[Symbol.asyncDispose]();
  }
}
