import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import type { Client } from '../../operations/client.ts';
import type { IncomingAddress } from '../journal/incoming-journal.ts';
import type { CriuOperations } from '../protocol/criu-operations.ts';
import type { PageListener } from '../protocol/page-listener.ts';
import type {
  MigrationOffer,
  MigrationPeer,
  MigrationRestoreOptions,
  MigrationServerHooks,
} from './serve-options.ts';
import type { Traffic } from './traffic.ts';

/** What all migrations to one server share. */
export interface ServerContext {
  /** Runs the restores. It has no default options: the options of each restore include them. */
  readonly client: Client;
  readonly operations: CriuOperations;
  readonly directory: string;
  readonly pageListener: PageListener;
  /** How long a source may be silent before its copy runs, in milliseconds. */
  readonly holdMs: number;
  /** How long a connection with pages may make no progress, in milliseconds. */
  readonly stallMs: number;
  readonly hooks: MigrationServerHooks;
  readonly traffic: Traffic;
}

/** An offer whose fields are valid, before its admission. */
export interface ReceivedOffer {
  readonly request: OfferRequest__Output;
  readonly offer: MigrationOffer;
  readonly peer: MigrationPeer;
  /** Options of the restore on this server; they override those of the offer. */
  readonly restore: MigrationRestoreOptions;
}

/** An offer that this host accepts. */
export interface AdmittedOffer extends ReceivedOffer {
  readonly addresses: readonly IncomingAddress[];
  /** True if this host has userfaultfd. */
  readonly lazyPages: boolean;
}
