import { CriuError, invalid, type MigrationRefusal } from '../../errors.ts';
import type { RestoreOptions } from '../../operations/restore.ts';
import {
  anyObject,
  callback,
  callbacks,
  check,
  checkOptions,
  either,
  object,
  readOptions,
  required,
  type Shape,
} from '../../options/check.ts';
import { flag, integer, text } from '../../options/kinds.ts';
import { operationOptions } from '../../options/operation-options.ts';
import { tlsMaterial } from '../../options/tls.ts';
import { translate, withDefaults } from '../../options/translate.ts';
import type { CriuOpts, TlsOptions } from '../../options/types.ts';
import { addresses, type MigrationAddress } from '../protocol/address-options.ts';
import type { MigrationMode } from '../protocol/modes.ts';
import type { StallLimit } from '../protocol/stall-limit.ts';
import type { DestinationState } from '../protocol/states.ts';

/** What a source offers. */
export interface MigrationOffer {
  /** The id of the migration. */
  readonly id: string;
  /** The name of the root process. */
  readonly program: string;
  /** How the memory is to be moved. */
  readonly mode: MigrationMode;
  /** The memory of all processes, in bytes. */
  readonly memoryBytes: number;
  /** The ids that the processes and their threads need; empty if they have their own pid namespace. */
  readonly pids: readonly number[];
  /** The addresses that come with the processes, as `ADDRESS/PREFIX`. */
  readonly addresses: readonly string[];
  /**
   * {@link MigrateOptions.metadata} of the source; undefined if it sends none. The source chooses it: check each part
   * before it is used.
   */
  readonly metadata: unknown;
}

/** The host that offers a migration. */
export interface MigrationPeer {
  /** Address and port. */
  readonly address: string;
  /** The SHA-256 fingerprint of the certificate; undefined without TLS. */
  readonly fingerprint: string | undefined;
  /** The common name in the certificate; undefined without TLS, or if the certificate has none. */
  readonly name: string | undefined;
}

/** What a migration belongs to: the name in the certificate of its source, or else its fingerprint. */
export function nameOf({ name, fingerprint }: MigrationPeer): string | undefined {
  return name ?? fingerprint;
}

/** @throws Error if a migration belongs to a host with another name */
export function requireOwner(owner: string | undefined, peer: MigrationPeer): void {
  if (owner === nameOf(peer)) return;
  throw new Error('this migration belongs to a host with another name in its certificate');
}

/** The status of a migration to this host. */
export interface IncomingMigration {
  /** The id of the migration. */
  readonly id: string;
  /** The state in the journal of this host. */
  readonly state: DestinationState;
  /** The root of the copy; undefined before it is restored. */
  readonly pid: number | undefined;
  /** Why the migration failed; undefined unless it did. */
  readonly message: string | undefined;
  /** The source: the name in its certificate, or its address. */
  readonly peer: string | undefined;
  /** Pages and images received so far, in bytes; undefined if an earlier server has received them. */
  readonly bytes: number | undefined;
}

/** A migration whose copy is about to be restored, or is restored. */
export interface RestoringMigration {
  /** The id of the migration. */
  readonly id: string;
  /** What the source offers. */
  readonly offer: MigrationOffer;
  /** The source. */
  readonly peer: MigrationPeer;
  /** The images of the dump, complete: for reading. They are removed when the migration has ended. */
  readonly imagesDirectory: string;
}

/** An offer that a server has refused. */
export interface RefusedOffer {
  /** The id of the migration, as the source gave it. */
  readonly id: string;
  /** The source. */
  readonly peer: MigrationPeer;
  /** Why, as the source is told; undefined if there is no code for the reason. */
  readonly refusal: MigrationRefusal | undefined;
  /** What is wrong, in words. */
  readonly message: string;
}

/** Functions that a migration server calls. */
export interface MigrationServerHooks {
  /**
   * Called when a migration has reached a new state. It is not awaited, and its errors are ignored.
   */
  changed?(migration: IncomingMigration): void;
  /** Called when an offer was refused. It is not awaited, and its errors are ignored. */
  refused?(refused: RefusedOffer): void;
  /**
   * Sets up what the restore needs. Called and awaited before the restore starts. It may return options of the
   * restore, such as those that depend on the images: they override those of `restore`. If it throws, the
   * migration fails and the original runs on.
   */
  beforeRestore?(
    migration: RestoringMigration,
  ): Promise<MigrationRestoreOptions> | Promise<void> | MigrationRestoreOptions | void;
  /**
   * Called and awaited once the copy is restored and before it runs. If it throws, the copy ends, the
   * migration fails and the original runs on.
   */
  afterRestore?(migration: RestoringMigration & { readonly pid: number }): Promise<void> | void;
  /**
   * Takes down what `beforeRestore` and `afterRestore` have set up. Called and awaited when
   * the migration has ended, unless it ended before `beforeRestore` was due. In the state `complete` the
   * copy runs; in `aborted`, `failed` and `lost` it is gone. If the hook throws, or this process dies before it
   * returns, the next server in the same directory calls it when it starts, so it must be idempotent.
   * While a server starts or closes, it waits at most six times `stallMs` for the hook; after that,
   * `close()` emits a process warning.
   */
  afterMigration?(migration: IncomingMigration): Promise<void> | void;
}

/** Options of a restore on a migration server. */
export type MigrationRestoreOptions = Partial<RestoreOptions>;

/** Options of `criu.serveMigrations()`. */
export interface ServeMigrationsOptions extends StallLimit {
  /** Where to listen; memory pages arrive at `pagePort`, by default 0. Port 0 is any free port. */
  readonly listen: { readonly host: string; readonly port: number; readonly pagePort?: number };
  /** TLS material; only sources with a certificate of the same authority are served. */
  readonly tls?: TlsOptions;
  /** Listen without TLS, which only a loopback address allows. */
  readonly insecure?: boolean;
  /**
   * Directory of the journals and images, created with mode 0700. An existing directory must belong to
   * this user or root, and nobody else may be able to write to it.
   */
  readonly directory: string;
  /**
   * Options of the restores, or a function that returns them for an offer. They override those that
   * come with an offer. If the function throws, the offer is refused with its message.
   */
  readonly restore?:
    | MigrationRestoreOptions
    | ((
        offer: MigrationOffer,
        peer: MigrationPeer,
      ) => MigrationRestoreOptions | Promise<MigrationRestoreOptions>);
  /**
   * Accepts an offer by returning `true`; anything else refuses it as `not-authorized`. If it throws, the offer is
   * refused with its message, and as `busy` if it throws a {@link CriuError} with that `refusal`. Default: accepts every source with a valid certificate.
   */
  authorize?(offer: MigrationOffer, peer: MigrationPeer): boolean | Promise<boolean>;
  /**
   * Ranges of addresses that migrations may bring to this host, such as `['192.0.2.0/24']`: see
   * {@link MigrateOptions.addresses}. The device is by default the one with an address of the same subnet,
   * or with the route to the address. Default: none.
   */
  readonly allowAddresses?: readonly MigrationAddress[];
  /**
   * How many migrations may be under way at once, from 1 to 1024. Three quarters of them, rounded up, may be
   * from one host. Further offers are refused as `busy`. Default 64.
   */
  readonly maxMigrations?: number;
  /**
   * How many bytes per second all migrations to this server may receive together. The limit also holds
   * while processes are frozen, and so lengthens their downtime. Default: no limit.
   */
  readonly maxBandwidth?: number;
  /**
   * How many bytes of pages and images all migrations under way may have in the directory together. Offers of
   * more memory are refused as `no-space`, and a source that exceeds the limit is cut off. Default: no limit.
   */
  readonly maxStoredBytes?: number;
  /**
   * Where to answer HTTP requests of monitoring: `/metrics` in the text format of Prometheus, `/healthz`, and
   * `/readyz`, which is 503 while the server drains, journals cannot be written or there is no criu. Anyone
   * who reaches the port may ask. By default the host is 127.0.0.1; without the option there is no port.
   */
  readonly metrics?: { readonly host?: string; readonly port: number };
  /** Functions to call as migrations proceed. */
  readonly hooks?: MigrationServerHooks;
  /** How long a source may be silent before its copy runs, in milliseconds. Default 30000. */
  readonly holdMs?: number;
}

/** The operation that errors of a server name. */
export const SERVE = 'serveMigrations';

const positiveMs = check(
  'milliseconds, a positive integer',
  (value) => Number.isInteger(value) && (value as number) > 0,
);

const shape: Shape<ServeMigrationsOptions> = {
  listen: required(
    object<ServeMigrationsOptions['listen']>({
      host: required(text),
      port: required(integer(0, 65535)),
      pagePort: integer(0, 65535),
    }),
  ),
  tls: tlsMaterial,
  insecure: flag,
  directory: required(text),
  restore: either(callback, anyObject),
  authorize: callback,
  allowAddresses: addresses,
  maxMigrations: integer(1, 1024),
  maxBandwidth: integer(1, Number.MAX_SAFE_INTEGER),
  maxStoredBytes: integer(1, Number.MAX_SAFE_INTEGER),
  metrics: object<NonNullable<ServeMigrationsOptions['metrics']>>({
    host: text,
    port: required(integer(0, 65535)),
  }),
  hooks: callbacks<MigrationServerHooks>([
    ...(['changed', 'refused', 'beforeRestore', 'afterRestore', 'afterMigration'] as const),
  ]),
  holdMs: positiveMs,
  stallMs: positiveMs,
};

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkServeOptions(
  given: ServeMigrationsOptions,
  defaults: Readonly<CriuOpts>,
): ServeMigrationsOptions {
  const options = checkOptions(SERVE, given, shape);
  const { restore } = options;
  if (typeof restore !== 'function') checkRestoreOptions(restore ?? {}, defaults);
  return options;
}

/** Options of the restore that the migration sets itself. */
const RESERVED: readonly string[] = [
  ...['imagesDirectory', 'workDirectory', 'lazyPages', 'stream', 'signal', 'deadlineMs'],
];

/**
 * Validates options of a restore, and adds the client's default options. A mistake is reported here,
 * before any process is frozen.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function checkRestoreOptions(
  given: MigrationRestoreOptions,
  defaults: Readonly<CriuOpts>,
): MigrationRestoreOptions {
  const { hooks, gracePeriodMs, ...options } = readOptions(SERVE, given, 'restore');
  checkOptions(SERVE, { hooks, gracePeriodMs }, operationOptions, 'restore');
  for (const [name, value] of Object.entries(options)) {
    const option = `restore.${name}`;
    if (value !== undefined && RESERVED.includes(name)) {
      throw invalid(SERVE, option, 'nothing: the migration sets it', value);
    }
    try {
      translate('restore', { imagesDirectory: '/', [name]: value }, `${SERVE}: restore`);
    } catch (cause) {
      const { code, message } = cause as CriuError;
      throw new CriuError(code, message, { operation: SERVE, option, cause });
    }
  }
  const inherited = Object.entries(defaults).filter(([name]) => !RESERVED.includes(name));
  const all = withDefaults('restore', options, Object.fromEntries(inherited));
  translate('restore', { ...all, imagesDirectory: '/' }, SERVE);
  return {
    ...all,
    ...(hooks && { hooks }),
    ...(gracePeriodMs !== undefined && { gracePeriodMs }),
  };
}
