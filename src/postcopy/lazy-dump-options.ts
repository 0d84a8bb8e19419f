import { CriuError } from '../errors.ts';
import type { Client } from '../operations/client.ts';
import type { DumpOptions, DumpResult } from '../operations/dump.ts';
import type { PreCopied } from '../operations/pre-copied.ts';
import { callback, check, isRecord, type Shape } from '../options/check.ts';
import { flag, integer, text } from '../options/kinds.ts';
import type { PageServerOptions } from '../options/types.ts';

/** How many pages of a lazy dump the destination has fetched. */
export interface LazyProgress {
  /** Pages that the dump left in the processes. */
  readonly pages: number;
  /** How many of these pages were sent to the destination; each counts once. */
  readonly pagesFetched: number;
}

/** Options of {@link Criu.lazyDump}: those of a dump, and where the destination fetches the pages. */
export interface LazyDumpOptions
  extends Omit<
    DumpOptions,
    'lazyPages' | 'leaveRunning' | 'leaveStopped' | 'statusFd' | 'pageServer'
  > {
  /** Where to listen for the destination. Default: 127.0.0.1, and any free port. */
  pageServer?: Omit<PageServerOptions, 'fd'>;
  /**
   * Called when the destination has closed its connection properly. Return true if the copy is
   * complete: the original then ends. If `confirm` returns false or throws, the original is resumed.
   * Without `confirm`, the original ends if every page was fetched, and stays stopped otherwise: the
   * copy may have freed the missing pages, or the destination may have failed.
   */
  confirm?(progress: LazyProgress): boolean | Promise<boolean>;
}

/** The result of a lazy dump. */
export interface LazyDumpResult extends DumpResult, LazyProgress {
  /** After {@link preCopy}: why the rounds ended, and the predicted and the real frozen time. */
  readonly preCopy?: PreCopied;
}

/** An address and a port to listen on. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Options that a lazy dump sets by itself. */
const OWNED_OPTIONS = ['lazyPages', 'leaveRunning', 'leaveStopped', 'statusFd'] as const;

/** The client without defaults that only apply to other dumps. */
export function withLazyDumpDefaults(client: Client): Client {
  const omitted: readonly string[] = [...OWNED_OPTIONS, 'pageServer'];
  const defaults = Object.entries(client.defaults).filter(([name]) => !omitted.includes(name));
  return { ...client, defaults: Object.fromEntries(defaults) };
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option that a lazy dump sets by itself */
export function assertNoOwnedOptions(operation: string, options: object): void {
  for (const option of OWNED_OPTIONS) {
    if (!Object.hasOwn(options, option)) continue;
    const message = `${operation}: takes no option ${option}, which a lazy dump sets by itself`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
  }
}

/** The address and port on which a lazy dump listens. */
const endpoint = check(
  '{ address?: string, port?: 0 to 65535 }',
  (value) =>
    isRecord(value) &&
    Object.keys(value).every((name) => name === 'address' || name === 'port') &&
    (value.address === undefined || text.accepts(value.address)) &&
    (value.port === undefined || integer(0, 65535).accepts(value.port)),
);

/** The checks of what a lazy dump adds to the options of a dump. */
export const lazyDumpOptions: Shape<Pick<LazyDumpOptions, 'pageServer' | 'confirm' | 'force'>> = {
  pageServer: endpoint,
  confirm: callback,
  force: flag,
};

/** Where to listen for the destination. */
export function endpointOf({ pageServer = {} }: LazyDumpOptions): Endpoint {
  const { address = '127.0.0.1', port = 0 } = pageServer;
  return { address, port };
}
