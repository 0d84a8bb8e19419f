import type { ExitStatus } from '../errors.ts';
import type { Channel } from '../protocol/channel.ts';

/** What is known of a criu process once it has ended. */
export interface Remains {
  /** How it ended; undefined while it runs, and for the processes of a criu service. */
  readonly exit: ExitStatus | undefined;
  /** The end of its standard error; undefined for the processes of a criu service. */
  readonly stderr: string | undefined;
  /** True for a criu service. */
  readonly isService?: boolean;
  /** True if the connection to a criu service was closed to cancel the operation. */
  readonly disconnected?: boolean;
}

/** A connection to a criu process: one that this process has started, or one of a criu service. */
export interface CriuConnection extends Channel {
  /** The pid of criu; undefined for a criu service, whose processes have other parents. */
  readonly pid: number | undefined;
  /**
   * True while processes that criu is restoring cannot live without it: then they are killed along
   * with it. Set by the operation that uses the connection.
   */
  isHalfRestored: (() => boolean) | undefined;
  /** True if this library killed criu before it replied. */
  readonly killed: boolean;
  /** What is known of criu so far. */
  readonly remains: Remains;
  /** How criu ended. Never rejects, and does not keep Node running. */
  readonly exited: Promise<ExitStatus>;
  /** Closes the connection, whereupon criu ends by itself. Idempotent. */
  close(): void;
  /** Closes the connection and waits for the end of criu, if it is a child. Idempotent. */
  end(): Promise<Remains>;
}
