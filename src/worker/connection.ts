import type { ExitStatus } from '../errors.ts';
import type { Channel } from '../protocol/channel.ts';

/** What is known about a criu process: how it ended and what it wrote. */
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

/** A connection to a criu process that this process started or that a criu service forked. */
export interface CriuConnection extends Channel {
  /** The pid of criu; undefined for a criu service, whose processes have other parents. */
  readonly pid: number | undefined;
  /**
   * The file that criu executes, as programOf() names it; undefined before its first message, and for a
   * criu service.
   */
  readonly program: string | undefined;
  /**
   * True while the processes that criu is restoring cannot survive its death: they are then killed
   * along with criu. Set by the operation that uses the connection.
   */
  isHalfRestored: (() => boolean) | undefined;
  /** True if this library killed criu before it replied. */
  readonly killed: boolean;
  /** What is known about criu so far. */
  readonly remains: Remains;
  /** How criu ended. Never rejects, and does not keep Node running. */
  readonly exited: Promise<ExitStatus>;
  /** Closes the connection, which makes criu exit. Idempotent. */
  close(): void;
  /** Closes the connection and waits for the end of criu, if it is a child. Idempotent. */
  end(): Promise<Remains>;
}
