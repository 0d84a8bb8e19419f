import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { failureOf, HookList, withMore } from './hooks.ts';
import {
  type CheckpointRequest,
  type CopyIdentity,
  type GuestFailure,
  type GuestHandle,
  type GuestMessage,
  type HostMessage,
  PROTOCOL,
  type RestoredMessage,
} from './protocol.ts';
import type { ReleaseMessage } from './thread-messages.ts';

/** What a hook of {@link onAfterRestore} gets, and what {@link checkpoint} resolves with. */
export interface RestoreEvent {
  /** Which copy this is. Undefined in the original, which continues because the checkpoint was aborted. */
  readonly copy: CopyIdentity | undefined;
  /** The environment, with the changes for this copy: `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The arguments of the program, which may be new: `process.argv.slice(2)`. */
  readonly args: readonly string[];
  /** When the copy was restored, or the original continued, in milliseconds since 1970. */
  readonly restoredAt: number;
  /** Why there was no checkpoint, if this is the original; undefined in a copy. */
  readonly aborted: string | undefined;
}

/** Other threads or processes of the program that take part. */
export interface Participants {
  /** Runs their hooks; resolves when all of them are blocked, or one refuses. Never rejects. */
  prepare(request: LimitedRequest): Promise<GuestFailure | undefined>;
  /** Lets them continue; resolves when their hooks have run. Never rejects. */
  release(message: ReleaseMessage, timeoutMs: number): Promise<GuestFailure | undefined>;
  /** What they have open, if the request has asked for that. */
  handles(): readonly GuestHandle[];
}

/** A request with the time that is left for it. */
export type LimitedRequest = CheckpointRequest & { readonly timeoutMs: number };

/** What makes a process unique, and what has to be done before its checkpoint. */
export interface Uniqueness {
  /** Closes what no copy can have. @throws Error if a copy could not be made unique */
  prepare(deadline: number): Promise<void>;
  /** Replaces all random state, synchronously. */
  makeUnique(): void;
  /** Sets what is new in this copy. */
  apply(message: RestoredMessage): void;
}

/** Lists what this thread has open. */
export type HandleReporter = () => readonly GuestHandle[];

/** Where the guest gets its requests from: the host, or the thread or process that coordinates the checkpoint. */
export interface Channel {
  readonly isOpen: boolean;
  send(message: GuestMessage): void;
  /** Blocks the thread; see {@link Connection.receiveBlocking}. */
  receiveBlocking(): { message: HostMessage | undefined; isCopy: boolean };
  /** Makes the channel keep the process running, or, as initially, not. */
  keepRunning(keep: boolean): void;
}

/** Opens a channel. It calls back with what arrives while nothing blocks, and with undefined at its end. */
export type OpenChannel = (onMessage: (message: HostMessage | undefined) => void) => Channel;

/** How long hooks may take if the host sets no limit. */
const DEFAULT_MS = 60_000;

/** Takes part in checkpoints of its thread. */
export class Guest {
  readonly before = new HookList<undefined>('onBeforeCheckpoint');
  readonly after = new HookList<RestoreEvent>('onAfterRestore');
  readonly #channel: Channel;
  readonly #uniqueness: Uniqueness;
  readonly #reportHandles: HandleReporter;
  readonly #participants: readonly Participants[];
  readonly #waiting: Deferred<RestoreEvent>[] = [];
  #isBusy = false;
  /** Why the checkpoint under way is not wanted any more. */
  #cancelled: string | undefined;

  constructor(
    open: OpenChannel,
    uniqueness: Uniqueness,
    reportHandles: HandleReporter,
    participants: readonly ((onRequest: () => void) => Participants)[] = [],
  ) {
    this.#channel = open((message) => this.#onMessage(message));
    this.#uniqueness = uniqueness;
    this.#reportHandles = reportHandles;
    this.#participants = participants.map((create) => create(() => this.#request()));
    const { version } = process;
    this.#channel.send({ type: 'hello', protocol: PROTOCOL, language: 'node', version });
  }

  /** Asks for a checkpoint, and waits until this is a copy of it. */
  checkpoint(): Promise<RestoreEvent> {
    const waiting = deferred<RestoreEvent>();
    this.#waiting.push(waiting);
    this.#request();
    if (this.#channel.isOpen) this.#channel.keepRunning(true);
    else this.#settle(aborted('the host is gone'));
    return waiting.promise;
  }

  #request(): void {
    if (!this.#isBusy) this.#channel.send({ type: 'checkpoint-me' });
  }

  #onMessage(message: HostMessage | undefined): void {
    if (message?.type === 'checkpoint') {
      if (!this.#isBusy) void this.#checkpoint(message);
    } else if (!message || message.type === 'resume') {
      const reason = message?.reason ?? 'the host is gone';
      if (this.#isBusy) this.#cancelled = reason;
      else if (!message) this.#settle(aborted(reason));
    }
  }

  async #checkpoint(request: CheckpointRequest): Promise<void> {
    this.#isBusy = true;
    this.#cancelled = undefined;
    const failure = await this.#prepare(request);
    if (failure || this.#cancelled !== undefined) await this.#giveUp(failure, request);
    else await this.#block(request);
    this.#isBusy = false;
  }

  /** Runs the hooks of this thread first: they may still need what other threads and processes do. */
  async #prepare(request: CheckpointRequest): Promise<GuestFailure | undefined> {
    const { timeoutMs = DEFAULT_MS } = request;
    const deadline = performance.now() + timeoutMs;
    const isCancelled = () => this.#cancelled !== undefined;
    const failure = await this.before.runReversed(undefined, deadline, isCancelled);
    if (failure || isCancelled()) return failure;
    for (const each of this.#participants) {
      const failed = await each.prepare({ ...request, timeoutMs: leftUntil(deadline) });
      if (failed || isCancelled()) return failed;
    }
    try {
      await this.#uniqueness.prepare(deadline);
    } catch (error) {
      return failureOf('', error);
    }
    return undefined;
  }

  /** Undoes what the hooks have done, and only then tells the host. */
  async #giveUp(failure: GuestFailure | undefined, request: CheckpointRequest): Promise<void> {
    const reason = failure?.error ?? this.#cancelled ?? '';
    const undone = await this.#continue({ type: 'resume', reason }, request.timeoutMs);
    if (failure) this.#channel.send({ type: 'refused', ...failure, ...withMore(failure, undone) });
    else this.#report(undone);
  }

  /** Nothing runs between the two messages: the checkpoint is made meanwhile. */
  async #block(request: CheckpointRequest): Promise<void> {
    if (request.reportHandles) this.#sendHandles();
    this.#channel.send({ type: 'ready' });
    const { message, isCopy } = this.#channel.receiveBlocking();
    let failure = this.#tryTo(() => this.#uniqueness.makeUnique());
    if (message?.type === 'restored') {
      failure = withMore(
        failure,
        this.#tryTo(() => this.#uniqueness.apply(message)),
      );
      const { timeoutMs = DEFAULT_MS } = message;
      this.#report(withMore(failure, await this.#continue(message, timeoutMs)));
      return;
    }
    // Nobody has a use for a copy without a host.
    if (!message && isCopy) process.exit(1);
    const reason = message?.type === 'resume' ? message.reason : 'the host is gone';
    const undone = await this.#continue({ type: 'resume', reason }, request.timeoutMs);
    this.#report(withMore(failure, undone));
  }

  #sendHandles(): void {
    const others = this.#participants.flatMap((each) => each.handles());
    this.#channel.send({ type: 'handles', handles: [...this.#reportHandles(), ...others] });
  }

  /** Lets others continue first, because the hooks of this thread may need them. */
  async #continue(
    message: ReleaseMessage,
    timeoutMs = DEFAULT_MS,
  ): Promise<GuestFailure | undefined> {
    const deadline = performance.now() + timeoutMs;
    let failure: GuestFailure | undefined;
    for (const each of [...this.#participants].reverse()) {
      failure = withMore(failure, await each.release(message, leftUntil(deadline)));
    }
    const event = message.type === 'restored' ? restored(message) : aborted(message.reason);
    failure = withMore(failure, await this.after.runAll(event, deadline));
    this.#settle(event);
    return failure;
  }

  #report(failure: GuestFailure | undefined): void {
    this.#channel.send(failure ? { type: 'failed', ...failure } : { type: 'running' });
  }

  #settle(event: RestoreEvent): void {
    this.#channel.keepRunning(false);
    for (const each of this.#waiting.splice(0)) {
      if (event.aborted === undefined) each.resolve(event);
      else each.reject(new Error(`checkpoint: there is none: ${event.aborted}`));
    }
  }

  #tryTo(action: () => void): GuestFailure | undefined {
    try {
      action();
      return undefined;
    } catch (error) {
      return failureOf('', error);
    }
  }
}

const leftUntil = (deadline: number) => Math.max(deadline - performance.now(), 1);

const current = () => ({ env: process.env, args: process.argv.slice(2) });

function restored({ copy, restoredAt }: RestoredMessage): RestoreEvent {
  return { copy, ...current(), restoredAt, aborted: undefined };
}

function aborted(reason: string): RestoreEvent {
  return { copy: undefined, ...current(), restoredAt: Date.now(), aborted: reason };
}
