import type { RateLimit } from '../../concurrency/rate-limit.ts';

/** What limits and counts the bytes of a {@link PageCarrier}. */
export interface CarrierOptions {
  /** Limit of outgoing bytes per second. Default: no limit. */
  readonly rateLimit?: RateLimit | undefined;
  /** Limits the incoming bytes, together with those of other tunnels. Default: no limit. */
  readonly receiveLimit?: RateLimit | undefined;
  /** Called with the number of bytes that have arrived since the last call. */
  readonly onReceived?: (bytes: number) => void;
}

/** How far a {@link PageCarrier} is. */
export interface Transfer {
  /** Bytes taken from criu. */
  readonly sent: number;
  /** Bytes received from the peer. */
  readonly received: number;
  /** Bytes that the connection to the peer has taken. */
  readonly written: number;
  /** Bytes that it has still to take. */
  readonly pending: number;
  /** True while data from the peer waits for the limit. */
  readonly isHoldingBack: boolean;
}

/** Moves bytes between a local socket, which it owns, and a peer, until either ends or it is closed. */
export interface PageCarrier {
  /** Resolves when no more data is moved from the peer or from criu. */
  readonly ended: Promise<void>;
  /** Why it failed. */
  readonly failure: Error | undefined;
  /** True until the local socket is closed. */
  readonly isLocalOpen: boolean;
  readonly transfer: Transfer;
  /** Calls `onReceived` for all that has arrived. */
  reportReceived(): void;
  /** Ends the limit of outgoing bytes. */
  liftRateLimit(): void;
  /** Ends the connection to the peer. criu may take a second to read what has arrived. Idempotent. */
  close(reason?: Error): void;
}
