import { RateLimit } from '../../concurrency/rate-limit.ts';
import { invalid } from '../../errors.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import {
  anyObject,
  type Check,
  callback,
  callbacks,
  check,
  checkOptions,
  checkValue,
  required,
  type Shape,
} from '../../options/check.ts';
import { flag, integer, pid as pidCheck, text } from '../../options/kinds.ts';
import {
  abortSignal,
  atLeastOne,
  milliseconds,
  operationOptions,
} from '../../options/operation-options.ts';
import { tlsMaterial } from '../../options/tls.ts';
import { withDefaults } from '../../options/translate.ts';
import type { CriuOpts, TlsOptions } from '../../options/types.ts';
import type { IterateOptions } from '../../precopy/iterate-options.ts';
import type { PreCopyFunction, PreCopyLimits } from '../../precopy/policy.ts';
import { trackingName } from '../../precopy/tracking.ts';
import { addresses, type MigrationAddress } from '../protocol/address-options.ts';
import { metadata } from '../protocol/metadata.ts';
import { hasRounds, isPostcopy, MIGRATION_MODES, type MigrationMode } from '../protocol/modes.ts';
import type { StallLimit } from '../protocol/stall-limit.ts';
import type { MigrationPhase } from './events.ts';
import { OPERATION } from './failures.ts';

/** Options of `criu.migrate()`. */
export interface MigrateOptions extends StallLimit {
  /**
   * The destination, where `criu.serveMigrations()` listens. With TLS, its certificate must have `name`, by default
   * `host`.
   */
  readonly to: { readonly host: string; readonly port: number; readonly name?: string };
  /** TLS material; the destination needs a certificate of the same authority. */
  readonly tls?: TlsOptions;
  /** Connect without TLS, which only a loopback address allows. */
  readonly insecure?: boolean;
  /**
   * How the memory is moved. Default: `pre-copy` if this kernel tracks changed memory or has userfaultfd, so that
   * it can be compared, else `stop-and-copy`.
   */
  readonly mode?: MigrationMode;
  /**
   * With `stop-and-copy` and `pre-copy`, let the copy run before it has read its memory, which is on the
   * disk of the destination by then: the copy gets it from a lazy-pages daemon there, if the destination has
   * userfaultfd and the memory is 16 MiB or more. This shortens the downtime, the more memory the more. If the
   * daemon, the agent or the host of the destination dies before the last page, the original resumes, and what the
   * copy has done until then is lost. With `false`, the copy runs only when it has all of its memory, and depends
   * on its host alone. Default `true`.
   */
  readonly lazyRestore?: boolean;
  /** When the rounds of `pre-copy` and `hybrid` end: see {@link preCopy}. */
  readonly policy?: PreCopyLimits | PreCopyFunction;
  /** How the rounds of `pre-copy` and `hybrid` find the memory that has changed: see {@link IterateOptions}. */
  readonly tracking?: IterateOptions['tracking'];
  /** Options of the dump. The destination uses those among them that a restore needs as well. */
  readonly dump?: Partial<DumpOptions>;
  /**
   * What the destination should know besides: the offer that its `authorize`, `restore` and hooks get has it as
   * `metadata`. Any value that JSON can represent, of at most 256 KiB as JSON. A destination that does not know
   * metadata, of a node-criu with an older protocol, refuses the offer. Default: none.
   */
  readonly metadata?: unknown;
  /**
   * The addresses of the service, such as `['192.0.2.9/32']`, which go with the processes: this host gives
   * them up when the copy is restored, and the destination, whose `allowAddresses` must allow them, takes
   * them before the copy runs. If the migration fails, they come back before the original resumes. The
   * device is by default the one that has the address; it is not the device of the destination. Cannot
   * be combined with `switchOver` and `switchBack`.
   */
  readonly addresses?: readonly MigrationAddress[];
  /**
   * Moves addresses to the destination by other means than `addresses`. Called when the copy is restored and the original is stopped;
   * neither runs. If it throws, the original resumes. The signal is aborted if the migration fails
   * meanwhile: the function can return at once then.
   */
  switchOver?(signal: AbortSignal): Promise<void> | void;
  /**
   * Moves addresses back. If the migration fails after `switchOver` was called, this function is
   * called before the destination ends the copy and before the original resumes, and awaited for at
   * most six times `stallMs`.
   */
  switchBack?(): Promise<void> | void;
  /** Cancels the migration like {@link Migration.cancel}. */
  readonly signal?: AbortSignal;
  /** Cancels the migration after this many milliseconds. Default: no limit. */
  readonly deadlineMs?: number;
  /** Functions to call as the migration proceeds. */
  readonly hooks?: {
    /**
     * Called and awaited before a phase begins. If it throws, the migration fails. Before `pages` and
     * `done` the copy runs already: errors are ignored then, and the hook is awaited for at most six
     * times `stallMs`.
     */
    phase?(phase: MigrationPhase): Promise<void> | void;
  };
  /** Directory of the journals and images. Default `/var/lib/node-criu`. */
  readonly directory?: string;
  /**
   * Limit of the memory sent per second, in bytes, while the processes run: in rounds, and after the
   * copy runs. Give several migrations the same {@link RateLimit} to have it between them. Default: no limit.
   */
  readonly rateLimit?: number | RateLimit;
  /** Keep to `rateLimit` while the processes are frozen, too, which lengthens the downtime. Default `false`. */
  readonly rateLimitFrozen?: boolean;
}

/** The outcome of a migration. */
export interface MigrationResult {
  /** The id of the migration. */
  readonly id: string;
  /** The pid of the root at the destination, as seen there. */
  readonly pid: number;
  /** The mode that was used. */
  readonly mode: MigrationMode;
  /** How many rounds preceded the dump. */
  readonly rounds: number;
  /** Memory and images sent, in bytes. */
  readonly bytes: number;
  /** How long no copy ran, in milliseconds. */
  readonly downtimeMs: number;
  /** From the call to the end of the original, in milliseconds. */
  readonly totalMs: number;
  /** The duration of each phase, in milliseconds. */
  readonly phases: Readonly<Partial<Record<MigrationPhase, number>>>;
  /** What could not be removed from this host, such as rules of CRIU's network lock. */
  readonly leftovers: readonly string[];
}

/** Options of the dump that the migration sets itself. */
const RESERVED: readonly string[] = [
  ...['imagesDirectory', 'workDirectory', 'pageServer', 'parentImage', 'trackMem', 'lazyPages'],
  ...['leaveRunning', 'leaveStopped', 'statusFd', 'signal', 'deadlineMs', 'insecure', 'stream'],
  ...['tls', 'force', 'overwrite', 'durable', 'keepFailed', 'manifest'],
];

/** Accepts other properties, so that a MigrationServer can be passed. */
const endpoint: Check = {
  ...check(
    'an object { host, port, name? }',
    (value) => typeof value === 'object' && value !== null,
  ),
  read(operation, option, value) {
    const { host, port, name } = value as MigrateOptions['to'];
    const parts = { host: required(text), port: required(integer(1, 65535)), name: text };
    return checkOptions<object>(operation, { host, port, name }, parts, option);
  },
};

const shape: Shape<MigrateOptions> = {
  to: required(endpoint),
  tls: tlsMaterial,
  insecure: flag,
  mode: check(`one of '${MIGRATION_MODES.join("', '")}'`, (value) =>
    MIGRATION_MODES.includes(value as MigrationMode),
  ),
  lazyRestore: flag,
  // Checked by preCopy().
  policy: check('limits or a function', () => true),
  tracking: trackingName,
  dump: anyObject,
  metadata,
  addresses,
  switchOver: callback,
  switchBack: callback,
  signal: abortSignal,
  deadlineMs: milliseconds,
  hooks: callbacks<NonNullable<MigrateOptions['hooks']>>(['phase']),
  directory: text,
  rateLimit: check(
    'a number of at least 1, or a RateLimit',
    (value) => value instanceof RateLimit || (typeof value === 'number' && value >= 1),
  ),
  rateLimitFrozen: flag,
  stallMs: atLeastOne,
};

/**
 * Validates the arguments of `migrate()`, and adds the client's default options to those of the dump.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function checkMigrateOptions(
  pid: number,
  given: MigrateOptions,
  defaults: Readonly<CriuOpts>,
): MigrateOptions {
  const options = checkOptions(OPERATION, given, shape);
  checkValue(OPERATION, 'pid', pidCheck, pid);
  const { dump = {}, mode, lazyRestore, tracking } = options;
  if (lazyRestore && isPostcopy(mode)) {
    const takes = `nothing with mode '${mode}', in which the source keeps the memory`;
    throw invalid(OPERATION, 'lazyRestore', takes, lazyRestore);
  }
  if (tracking !== undefined && mode !== undefined && !hasRounds(mode)) {
    throw invalid(
      OPERATION,
      'tracking',
      `nothing with mode '${mode}', which has no rounds`,
      tracking,
    );
  }
  if (options.addresses) {
    const own = options.switchOver ? 'switchOver' : options.switchBack && 'switchBack';
    if (own) throw invalid(OPERATION, own, 'nothing: addresses moves them', options[own]);
  }
  const { hooks, gracePeriodMs } = dump;
  checkOptions(OPERATION, { hooks, gracePeriodMs }, operationOptions, 'dump');
  for (const [name, value] of Object.entries(dump)) {
    if (value === undefined || !RESERVED.includes(name)) continue;
    throw invalid(OPERATION, `dump.${name}`, 'nothing: the migration sets it', value);
  }
  const inherited = Object.entries(defaults).filter(([name]) => !RESERVED.includes(name));
  return { ...options, dump: withDefaults('dump', dump, Object.fromEntries(inherited)) };
}
