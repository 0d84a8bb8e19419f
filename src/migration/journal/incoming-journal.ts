import { join } from 'node:path';
import type { Cidr } from '../../netlink/ip-address.ts';
import type { RefusalCode } from '../protocol/refusals.ts';
import type { DestinationState } from '../protocol/states.ts';
import type { Journal } from './journal.ts';

/** What a destination records besides its state. */
export interface IncomingFacts {
  /** The root of the copy, as seen here. */
  readonly pid: number;
  /** When and where the root was started, as startTimeOf() returns it: its pid may be reused. */
  readonly startTime: string;
  /** All processes of the copy, the root first, each as `PID TICKS`. */
  readonly tree: readonly string[];
  /** The criu that restores the copy, as `PID TICKS`; empty if it is not known. */
  readonly criu: readonly string[];
  /** True if the copy fetches pages after its restore. */
  readonly lazy: boolean;
  /** Why the migration ended. */
  readonly message: string;
  /** Why the destination has ended the migration by itself, for programs. */
  readonly refusal: RefusalCode;
  /** What the migration belongs to: the name in the certificate of its source; absent without TLS. */
  readonly owner: string;
  /** The source as it is shown: the name in its certificate, or its address. */
  readonly peer: string;
  /** The process that serves the migration, as thisAgent() names it. */
  readonly agent: string;
  /** True once both hosts know how the migration has ended. */
  readonly acknowledged: boolean;
  /** True from before the hook `beforeRestore` is called until the hook `afterMigration` has returned. */
  readonly isSetUp: boolean;
  /** The addresses that come with the workload. */
  readonly addresses: readonly IncomingAddress[];
  /**
   * Where this host may have them for this migration: on `lo`, so that sockets can be bound to them; on
   * `lo` or their device from the commit on; empty once they have been removed, or belong to the copy.
   */
  readonly addressesOn: 'lo' | 'device' | '';
}

/** An address that comes with a workload, and its place on this host. */
export interface IncomingAddress extends Cidr {
  readonly device: string;
  /** True if `lo` had the address before the migration. */
  readonly isOnLo: boolean;
  /** True if arp_ignore of the device is 0 without migrations. */
  readonly isQuieted: boolean;
}

/** The journal of a destination. */
export type IncomingJournal = Journal<DestinationState, IncomingFacts>;

/** The directory of the journals of a destination. */
export function incomingJournals(directory: string): string {
  return join(directory, 'incoming');
}

/** The directory of the images of a migration to this host. */
export function incomingImages(directory: string, id: string): string {
  return join(directory, 'images', id);
}
