import type { GuestFailure } from './protocol.ts';

/** A hook, and where it was registered. */
export interface RegisteredHook<Event> {
  readonly call: (event: Event) => unknown;
  readonly timeoutMs: number | undefined;
  /** The stack of the registration, without its first line. */
  readonly place: string;
}

/** The hooks of one kind. */
export class HookList<Event> {
  readonly #name: string;
  readonly #hooks = new Set<RegisteredHook<Event>>();

  /** @param name the function that registers them */
  constructor(name: string) {
    this.#name = name;
  }

  /** Adds a hook. @returns a function that removes it */
  add(call: (event: Event) => unknown, timeoutMs: number | undefined): () => void {
    if (typeof call !== 'function') throw new TypeError(`${this.#name} takes a function`);
    if (timeoutMs !== undefined && !(timeoutMs > 0)) {
      throw new TypeError(`${this.#name}: timeoutMs takes a number of milliseconds`);
    }
    const [, , , ...lines] = new Error().stack?.split('\n') ?? [];
    const hook = { call, timeoutMs, place: lines.join('\n') };
    this.#hooks.add(hook);
    return () => void this.#hooks.delete(hook);
  }

  /**
   * Runs the hooks one after the other in reverse order, until one fails.
   * @param isCancelled asked before each hook
   */
  async runReversed(
    event: Event,
    deadline: number,
    isCancelled: () => boolean,
  ): Promise<GuestFailure | undefined> {
    for (const hook of [...this.#hooks].reverse()) {
      if (isCancelled()) return undefined;
      const failure = await this.#run(hook, event, deadline);
      if (failure) return failure;
    }
    return undefined;
  }

  /** Runs all hooks one after the other. @returns the first failure */
  async runAll(event: Event, deadline: number): Promise<GuestFailure | undefined> {
    let first: GuestFailure | undefined;
    for (const hook of [...this.#hooks])
      first = withMore(first, await this.#run(hook, event, deadline));
    return first;
  }

  async #run(
    hook: RegisteredHook<Event>,
    event: Event,
    deadline: number,
  ): Promise<GuestFailure | undefined> {
    const left = Math.max(deadline - performance.now(), 0);
    const limit = Math.min(hook.timeoutMs ?? Number.POSITIVE_INFINITY, left);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<GuestFailure>((resolve) => {
      // setTimeout takes no infinity, and its longest time is 2^31 ms.
      timer = setTimeout(() => resolve(this.#late(hook, limit)), Math.min(limit, 2 ** 31 - 1));
    });
    const work = (async () => void (await hook.call(event)))();
    const failed = work.catch((error: unknown) => failureOf(`${this.#name}: `, error));
    return await Promise.race([failed, late])
      .then((failure) => failure ?? undefined)
      .finally(() => clearTimeout(timer));
  }

  #late({ call, place }: RegisteredHook<Event>, limit: number): GuestFailure {
    const hook = call.name ? `the hook ${call.name}` : 'a hook';
    const error = `${this.#name}: ${hook} has not ended within ${Math.round(limit)} ms`;
    return { error, stack: `Error: ${error}\nregistered here:\n${place}` };
  }
}

/** What a thrown value says. */
export function failureOf(prefix: string, thrown: unknown): GuestFailure {
  const isError = thrown instanceof Error;
  const stack = isError && typeof thrown.stack === 'string' ? { stack: thrown.stack } : {};
  return { error: `${prefix}${isError ? thrown.message : textOf(thrown)}`, ...stack };
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** The first failure, with what else has failed in its text. */
export function withMore(
  first: GuestFailure | undefined,
  next: GuestFailure | undefined,
): GuestFailure | undefined {
  if (!first || !next) return first ?? next;
  return { ...first, error: `${first.error}; ${next.error}` };
}
