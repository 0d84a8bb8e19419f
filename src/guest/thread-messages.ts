import type { CheckpointRequest, GuestMessage, HostMessage } from './protocol.ts';

/** The channel between the threads of a process. */
export const CHANNEL = 'node-criu.guest';

/** A message of a worker thread to the main thread. */
export interface FromThread {
  readonly from: number;
  readonly message: GuestMessage;
}

/** What the thread that has started another one says when that has ended. */
export interface ThreadEnd {
  readonly ended: number;
}

/** A message of the main thread to all others, or, without one, the question which of them take part. */
export interface ToThreads {
  readonly toAll: HostMessage | undefined;
  /** For a checkpoint: threads that are ready wait until its value is no longer 0. */
  readonly gate: Int32Array | undefined;
}

export type ThreadMessage = FromThread | ThreadEnd | ToThreads;

/** A message after which a thread or process continues. */
export type ReleaseMessage = Exclude<HostMessage, CheckpointRequest>;
