import type { Hooks } from '../options/hooks.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import type { Enclosure } from '../worker/enclosure.ts';
import type { Pool } from '../worker/pool.ts';

/** What the operations of one client share: which criu to use, and the default options. */
export interface Client {
  /** Path or name of the binary; default `CRIU_PATH`, else `criu`. */
  readonly path: string | undefined;
  /** Path of the socket of a running criu service, which is used instead of a binary. */
  readonly socket?: string | undefined;
  /** Keep CRIU's cache of the kernel's features. */
  readonly kernelCache?: boolean | undefined;
  /** Workers that are started ahead. */
  readonly pool?: Pool | undefined;
  /** Namespaces and mounts for the criu of each operation. */
  readonly enclosure?: Enclosure | undefined;
  readonly defaults: Readonly<CriuOpts>;
}

/** The options that a caller passes to an operation. */
export type GivenOptions = CriuOpts &
  OperationOptions & {
    readonly hooks?: Hooks;
    readonly insecure?: boolean;
    readonly force?: boolean;
  };
