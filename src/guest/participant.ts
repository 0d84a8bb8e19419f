import { within } from '../concurrency/deadline.ts';
import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { withMore } from './hooks.ts';
import type { GuestFailure, GuestHandle, GuestMessage } from './protocol.ts';

/** How much longer than its hooks a participant may take to answer, in milliseconds. */
const GRACE_MS = 1000;

/** What a participant is asked to do. */
export type Expected = 'stop' | 'continue';

/** Undefined if the participant has ended. */
type Answer = GuestMessage | undefined;

/** A thread or process that takes part, as the thread sees it that coordinates the checkpoint. */
export class Participant {
  /** Such as `worker thread 3`. */
  readonly name: string;
  /** What it has open, if it was asked for that. */
  handles: readonly GuestHandle[] = [];
  #answer: Deferred<Answer> = deferred();
  /** True from the request until it has said that it runs or refuses. */
  #isStopping = false;
  #expected: Expected = 'continue';
  #hasEnded = false;

  constructor(name: string) {
    this.name = name;
  }

  /** True if it is blocked, or about to be. */
  get isStopping(): boolean {
    return this.#isStopping && !this.#hasEnded;
  }

  /** Prepares for the answer to a message that is sent afterwards. */
  expectAnswer(expected: Expected): void {
    this.#isStopping = true;
    this.#expected = expected;
    if (expected === 'stop') this.handles = [];
    this.#answer = deferred();
  }

  /** Waits for it, and returns what has failed. */
  async answer(timeoutMs: number): Promise<GuestFailure | undefined> {
    const message = await within<Answer, 'late'>(
      timeoutMs + GRACE_MS,
      this.#answer.promise,
      'late',
    );
    if (message === 'late') {
      // It is not awaited again.
      this.#isStopping = false;
      return { error: `${this.name} does not answer` };
    }
    if (message?.type !== 'refused' && message?.type !== 'failed') return undefined;
    const { error, stack } = message;
    return { error: `${this.name}: ${error}`, ...(stack !== undefined && { stack }) };
  }

  /** What it has sent. */
  onMessage(message: GuestMessage): void {
    if (message.type === 'handles') this.handles = message.handles;
    // If it has got ready before it was told to continue, the answer is yet to come.
    const hasStopped = message.type === 'ready' && this.#expected === 'stop';
    const continues = ['running', 'failed', 'refused'].includes(message.type);
    if (continues) this.#isStopping = false;
    if (hasStopped || continues) this.#answer.resolve(message);
  }

  /** It has ended: nothing is expected of it any more. */
  onEnd(): void {
    this.#hasEnded = true;
    this.#answer.resolve(undefined);
  }
}

/** What participants have open. */
export function handlesOf(participants: readonly Participant[]): GuestHandle[] {
  return participants.flatMap(({ name, handles }) =>
    handles.map((each) => ({ ...each, detail: `${each.detail} (${name})` })),
  );
}

/** Sends participants a message, and waits for all answers. Never rejects. */
export async function askAll(
  participants: readonly Participant[],
  expected: Expected,
  send: () => void,
  timeoutMs: number,
): Promise<GuestFailure | undefined> {
  for (const each of participants) each.expectAnswer(expected);
  send();
  const failures = await Promise.all(participants.map((each) => each.answer(timeoutMs)));
  return failures.reduce(withMore, undefined);
}
