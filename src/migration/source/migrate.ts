import { builtins } from '../../builtins.ts';
import { Cancellation } from '../../concurrency/cancellation.ts';
import { CombinedSignal } from '../../concurrency/combined-signal.ts';
import { traceOperation } from '../../diagnostics.ts';
import { assertNoDirectories } from '../../options/config-file.ts';
import { makePrivateDirectory, requirePrivate } from '../../process/private-directory.ts';
import { pruneJournals } from '../journal/journal.ts';
import { outgoingJournals, STATE_DIRECTORY } from '../journal/outgoing-journal.ts';
import { readCredentials } from '../protocol/credentials.ts';
import { DestinationClient } from '../protocol/destination-client.ts';
import type { SourceClient } from './context.ts';
import { type MigrationEvent, migrationEvents } from './events.ts';
import { OPERATION } from './failures.ts';
import { removeLeftoverImages } from './leftover-images.ts';
import {
  checkMigrateOptions,
  type MigrateOptions,
  type MigrationResult,
} from './migrate-options.ts';
import { runMigration } from './outgoing.ts';

/** A migration from this host, started by `criu.migrate()`. Its events can be iterated once. */
export class Migration implements AsyncIterable<MigrationEvent>, AsyncDisposable {
  /** The id of the migration, which names the journals of both hosts. */
  readonly id = builtins.crypto.randomUUID() as string;
  /** The root of the original. */
  readonly pid: number;
  /**
   * Resolves when the copy runs with all of its memory and the original has ended. Rejects with
   * ERR_CRIU_MIGRATION_REFUSED if nothing was touched, with ERR_CRIU_MIGRATION_UNRESOLVED if the
   * destination does not confirm that its copy runs, and otherwise with the error of the step that
   * failed or ERR_CRIU_MIGRATION_FAILED. The `workload` of the error is that of the original.
   */
  readonly result: Promise<MigrationResult>;
  readonly #events = migrationEvents();
  readonly #cancelled = new AbortController();

  /** @internal */
  constructor(pid: number, options: MigrateOptions, criu: SourceClient) {
    this.pid = pid;
    this.result = traceOperation({ operation: OPERATION, pid }, () =>
      this.#run(options, criu),
    ).finally(() => this.#events.end());
    // A caller may iterate the events first and await the result later.
    this.result.catch(() => {});
  }

  /**
   * The events so far and those to come, until the migration ends. A consumer that falls behind gets
   * the start of each phase, the end of each round, and only the newest of the events in between.
   */
  [Symbol.asyncIterator](): AsyncIterator<MigrationEvent, void, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  /**
   * Cancels the migration: the original runs on, unless the copy may run already. Resolves when the
   * migration has ended; `result` has the outcome. Idempotent.
   */
  async cancel(): Promise<void> {
    this.#cancelled.abort(new Error('the migration was cancelled'));
    await this.result.catch(() => {});
  }

  /** Same as {@link Migration.cancel}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  async #run(given: MigrateOptions, criu: SourceClient): Promise<MigrationResult> {
    const start = performance.now();
    const options = checkMigrateOptions(this.pid, given, criu.client.defaults);
    const { directory = STATE_DIRECTORY, to, tls, insecure, deadlineMs } = options;
    await assertNoDirectories(OPERATION, 'dump.configFile', options.dump?.configFile);
    const credentials = await readCredentials(OPERATION, to.host, tls, insecure, to.name);
    using combined = new CombinedSignal([this.#cancelled.signal, options.signal]);
    const { signal } = combined;
    using cancellation = new Cancellation(OPERATION, { signal, deadlineMs });
    cancellation.throwIfRequested();
    await makePrivateDirectory(directory, true);
    await requirePrivate(OPERATION, directory);
    // What only takes space. The images are found by their journals.
    await removeLeftoverImages(directory).catch(() => {});
    await pruneJournals(outgoingJournals(directory)).catch(() => {});
    using destination = await DestinationClient.connect(to, credentials, options.stallMs);
    return await runMigration({
      ...{ id: this.id, pid: this.pid, options, directory, criu, start },
      ...{ destination, credentials, cancellation, events: this.#events },
    });
  }
}
