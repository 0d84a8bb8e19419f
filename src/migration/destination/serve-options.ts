import { stat } from 'node:fs/promises';
import { CriuError, invalid, unknownOption } from '../../errors.ts';
import type { RestoreOptions } from '../../operations/restore.ts';
import { checkOptions, readOptions } from '../../options/check.ts';
import { operationOptions } from '../../options/operation-options.ts';
import { translate } from '../../options/translate.ts';
import type { TlsOptions } from '../../options/types.ts';
import type { DestinationState } from '../protocol/states.ts';

/** What a source offers. */
export interface MigrationOffer {
  /** The id of the migration. */
  readonly id: string;
  /** The name of the root process. */
  readonly program: string;
  /** The mode that the source wants. */
  readonly mode: string;
  /** The memory of all processes, in bytes. */
  readonly memoryBytes: number;
  /** The ids that the processes and their threads need; none if they have a pid namespace of their own. */
  readonly pids: readonly number[];
}

/** Who offers it. */
export interface MigrationPeer {
  /** Address and port. */
  readonly address: string;
  /** The SHA-256 fingerprint of its certificate; empty if it has none. */
  readonly fingerprint: string;
  /** The common name in its certificate; empty if it has none. */
  readonly name: string;
}

/** How a migration to this host stands. */
export interface IncomingMigration {
  /** Its id. */
  readonly id: string;
  /** What the journal says of it. */
  readonly state: DestinationState;
  /** The root of the copy, or 0 if there is none yet. */
  readonly pid: number;
  /** Why it failed, or empty. */
  readonly message: string;
}

/** Options of {@link serveMigrations}. */
export interface ServeMigrationsOptions {
  /** Where to listen; port 0 is any free one. Pages come to a port of their own on the same host. */
  readonly listen: { readonly host: string; readonly port: number; readonly pagePort?: number };
  /** Certificates of mutual TLS; only whoever has one of the same authority gets in. */
  readonly tls?: TlsOptions;
  /** Without certificates, on a loopback address. */
  readonly insecure?: boolean;
  /**
   * Where journals and images are kept. Created with mode 0700; one that is there must belong to this
   * user or root, and nobody else may write to it.
   */
  readonly directory: string;
  /** Options of the restores here; they come before those that go with a dump. */
  readonly restore?: Partial<RestoreOptions>;
  /**
   * Whether to take what is offered: only if it answers `true`, and nothing else. If it throws, the
   * offer is refused, and its source is told why. Default: whatever comes with a good certificate.
   */
  authorize?(offer: MigrationOffer, peer: MigrationPeer): boolean | Promise<boolean>;
  /** Functions to call. */
  readonly hooks?: {
    /**
     * A migration to this host has come to a new state. It is not waited for, and what it throws is
     * reported nowhere: the migration goes on.
     */
    changed?(migration: IncomingMigration): void;
  };
  /** The criu binary, as in {@link CriuClientOptions.path}. */
  readonly path?: string;
  /** How long a source may be silent before anything runs here, in milliseconds. Default 30000. */
  readonly holdMs?: number;
  /** How long a connection with pages may stand still, in milliseconds. Default 10000. */
  readonly stallMs?: number;
}

/** The operation, as errors name it. */
export const SERVE = 'serveMigrations';

const OPTIONS: ReadonlySet<string> = new Set([
  ...['listen', 'tls', 'insecure', 'directory', 'restore', 'authorize', 'hooks', 'path'],
  ...['holdMs', 'stallMs'],
]);

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkServeOptions(given: ServeMigrationsOptions): ServeMigrationsOptions {
  for (const name of Object.keys(given)) {
    if (!OPTIONS.has(name)) throw unknownOption(SERVE, name);
  }
  const { listen, directory, authorize, restore, holdMs, stallMs } = given;
  if (typeof listen?.host !== 'string' || !isPort(listen.port) || !isPort(listen.pagePort ?? 0)) {
    throw invalid(
      SERVE,
      'listen',
      '{ host: string, port: 0 to 65535, pagePort?: 0 to 65535 }',
      listen,
    );
  }
  if (typeof directory !== 'string' || directory === '') {
    throw invalid(SERVE, 'directory', 'the path of a directory', directory);
  }
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw invalid(SERVE, 'authorize', 'a function', authorize);
  }
  if (restore !== undefined && (typeof restore !== 'object' || restore === null)) {
    throw invalid(SERVE, 'restore', 'an object of options', restore);
  }
  if (restore !== undefined) checkRestore(readOptions(SERVE, restore, 'restore'));
  for (const [name, value] of Object.entries({ holdMs, stallMs })) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      throw invalid(SERVE, name, 'milliseconds, a positive integer', value);
    }
  }
  return given;
}

/**
 * Whoever writes to the directory decides what runs here.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function requirePrivate(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory);
  const isOurs = uid === 0 || uid === process.geteuid?.();
  if (isOurs && (mode & 0o022) === 0) return;
  const takes = 'a directory of this user to which nobody else can write (chmod 700)';
  throw invalid(SERVE, 'directory', takes, directory);
}

/** What each migration decides by itself. */
const OWN: ReadonlySet<string> = new Set([
  ...['imagesDirectory', 'workDirectory', 'lazyPages', 'signal', 'deadlineMs'],
]);

/** Here nothing is frozen yet: each option by the table of options, as each restore will do it. */
function checkRestore({ hooks, gracePeriodMs, ...options }: Partial<RestoreOptions>): void {
  checkOptions(SERVE, { hooks, gracePeriodMs }, operationOptions, 'restore');
  for (const [name, value] of Object.entries(options)) {
    const option = `restore.${name}`;
    if (OWN.has(name)) throw invalid(SERVE, option, 'nothing: each migration sets it', value);
    try {
      translate('restore', { imagesDirectory: '/', [name]: value }, `${SERVE}: restore`);
    } catch (cause) {
      const { code, message } = cause as CriuError;
      throw new CriuError(code, message, { operation: SERVE, option, cause });
    }
  }
  translate('restore', { ...options, imagesDirectory: '/' }, SERVE);
}

const isPort = (port: unknown) =>
  Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65535;
