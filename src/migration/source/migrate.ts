import { builtins } from '../../builtins.ts';
import { Cancellation } from '../../concurrency/cancellation.ts';
import { CombinedSignal } from '../../concurrency/combined-signal.ts';
import { traceOperation } from '../../diagnostics.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import { readOptions } from '../../options/check.ts';
import type { TlsOptions } from '../../options/types.ts';
import type { PreCopyFunction, PreCopyLimits } from '../../precopy/policy.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import { STATE_DIRECTORY } from '../journal/outgoing-journal.ts';
import { readCredentials } from '../protocol/credentials.ts';
import { Destination } from '../protocol/service.ts';
import { EventQueue, type MigrationEvent, type MigrationPhase } from './events.ts';
import { OPERATION } from './failures.ts';
import { checkMigrateOptions } from './migrate-options.ts';
import { Outgoing } from './outgoing.ts';

/**
 * How memory goes over.
 * - `stop-and-copy`: while the processes are frozen.
 * - `pre-copy`: in rounds while they run, and the rest while they are frozen. The source's kernel has
 *   to track changed memory.
 * - `post-copy`: once they run at the destination. If the source or the network fails meanwhile, what
 *   they have done since is lost.
 * - `hybrid`: in rounds, and the rest as in post-copy.
 */
export type MigrationMode = 'stop-and-copy' | 'pre-copy' | 'post-copy' | 'hybrid';

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /** Where {@link serveMigrations} listens. */
  readonly to: { readonly host: string; readonly port: number };
  /** Certificates of mutual TLS. */
  readonly tls?: TlsOptions;
  /** Without certificates, to a loopback address. */
  readonly insecure?: boolean;
  /** How memory goes over. Default: `pre-copy` if this kernel can, else `stop-and-copy`. */
  readonly mode?: MigrationMode;
  /** When the rounds of `pre-copy` and `hybrid` end; see {@link preCopy}. */
  readonly policy?: PreCopyLimits | PreCopyFunction;
  /** Options of the dump; the destination restores with those that a restore needs as well. */
  readonly dump?: Partial<DumpOptions>;
  /**
   * Moves addresses to the destination: called when the copy is restored and the original stopped,
   * neither of which runs. If it throws, the original runs on. The signal is aborted if the migration
   * breaks off meanwhile: what is not done yet need not be done then.
   */
  switchOver?(signal: AbortSignal): Promise<void> | void;
  /**
   * Moves them back: called if the migration fails after `switchOver` was called, before the original
   * runs on, which waits for it six times `stallMs` at most.
   */
  switchBack?(): Promise<void> | void;
  /** Cancels it, as {@link Migration.cancel} does. */
  readonly signal?: AbortSignal;
  /** Cancels it likewise after this many milliseconds. */
  readonly deadlineMs?: number;
  /** Functions to call. */
  readonly hooks?: {
    /**
     * A phase is about to begin. It is waited for; if it throws, the migration fails, but not in
     * `pages` and `done`: the copy runs by then, and it is waited for six times `stallMs` at most.
     */
    phase?(phase: MigrationPhase): Promise<void> | void;
  };
  /** Where journals and images are kept; {@link resolveMigration} looks there. Default `/var/lib/node-criu`. */
  readonly directory?: string;
  /** The criu binary, as in {@link CriuClientOptions.path}. */
  readonly path?: string;
  /** Memory that may go over in a second, in bytes. Default: no limit. */
  readonly rateLimit?: number;
  /** How long the destination may be silent, and a connection stand still, in milliseconds. Default 10000. */
  readonly stallMs?: number;
}

/** How a migration went. */
export interface MigrationResult {
  /** Its id. */
  readonly id: string;
  /** The pid of the root at the destination, as seen there. */
  readonly pid: number;
  /** The mode that was used. */
  readonly mode: MigrationMode;
  /** Rounds before the dump. */
  readonly rounds: number;
  /** Memory and images that have gone over, in bytes. */
  readonly bytes: number;
  /** For how long no copy ran, in milliseconds. */
  readonly downtimeMs: number;
  /** From the call to the end of the original, in milliseconds. */
  readonly totalMs: number;
  /** Time of each phase, in milliseconds. */
  readonly phases: Readonly<Partial<Record<MigrationPhase, number>>>;
  /** What is left on this host, and could not be taken away: rules of CRIU's network lock. */
  readonly leftovers: readonly string[];
}

/**
 * Moves a process tree to another host while it runs, with its connections if the dump has
 * `tcpEstablished` and `switchOver` moves its address. Whatever fails before the copy is let go, the
 * original runs on. docs/migration.md tells how that is made sure of.
 *
 * @example
 * ```ts
 * const migration = migrate(pid, { to: { host: '192.0.2.2', port: 7000 }, tls, dump: { tcpEstablished: true } });
 * for await (const { phase, bytes } of migration) console.log(phase, bytes);
 * const { downtimeMs } = await migration.result;
 * ```
 * @param pid the root of the tree
 */
export function migrate(pid: number, options: MigrateOptions): Migration {
  return new Migration(pid, options);
}

/** A migration from this host; its events can be gone through once. */
export class Migration implements AsyncIterable<MigrationEvent>, AsyncDisposable {
  /** Its id, in the journals of both hosts. */
  readonly id = builtins.crypto.randomUUID() as string;
  /** The root of the original. */
  readonly pid: number;
  /**
   * Resolves when the copy runs with all of its memory and the original has ended. Rejects with
   * ERR_CRIU_MIGRATION_REFUSED before anything was touched; ERR_CRIU_MIGRATION_UNRESOLVED if the
   * destination cannot be asked whether its copy runs; else with the cause, or
   * ERR_CRIU_MIGRATION_FAILED. The `workload` of the error is the original's.
   */
  readonly result: Promise<MigrationResult>;
  readonly #events = new EventQueue<MigrationEvent>();
  readonly #cancelled = new AbortController();

  /** @internal */
  constructor(pid: number, options: MigrateOptions) {
    this.pid = pid;
    this.result = traceOperation({ operation: OPERATION, pid }, () => this.#run(options)).finally(
      () => this.#events.end(),
    );
    // Who goes through the events may wait for it later.
    this.result.catch(() => {});
  }

  /** The events so far, and those to come, to the end. */
  [Symbol.asyncIterator](): AsyncIterator<MigrationEvent, void, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  /**
   * Cancels it: the original runs on, unless the copy was let go already. Resolves when it has ended;
   * `result` tells how.
   */
  async cancel(): Promise<void> {
    this.#cancelled.abort(new Error('the migration was cancelled'));
    await this.result.catch(() => {});
  }

  /** The same as {@link Migration.cancel}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  async #run(options: MigrateOptions): Promise<MigrationResult> {
    const start = performance.now();
    const given = checkMigrateOptions(this.pid, readOptions(OPERATION, options));
    const { directory = STATE_DIRECTORY, to, tls, insecure } = given;
    const credentials = await readCredentials(OPERATION, to.host, tls, insecure);
    using combined = new CombinedSignal([this.#cancelled.signal, given.signal]);
    using cancellation = new Cancellation(OPERATION, {
      signal: combined.signal,
      deadlineMs: given.deadlineMs,
    });
    cancellation.throwIfRequested();
    await makePrivateDirectory(directory);
    using destination = await Destination.connect(to, credentials);
    const { id, pid } = this;
    const events = this.#events;
    const parts = { given, directory, credentials, cancellation, destination, start, events };
    return await new Outgoing({ id, pid, ...parts }).run();
  }
}
