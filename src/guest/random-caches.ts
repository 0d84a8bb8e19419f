import { isMainThread } from 'node:worker_threads';

/** How many UUIDs and integers Node draws at once and keeps, in all versions up to 26. */
const UUIDS = 128;
const INTEGERS = 1024;

/** The random values that Node has drawn in advance for this thread. */
export class RandomCaches {
  /** Taken early, because a program may replace them; workers load node:crypto only when they need it. */
  #functions = isMainThread ? functions() : undefined;

  /** Uses them up, so that the next ones are drawn anew. */
  drop(): void {
    this.#functions ??= functions();
    const { randomInt, randomUUID } = this.#functions;
    for (let count = 0; count < UUIDS; count++) randomUUID();
    for (let count = 0; count < INTEGERS; count++) randomInt(1);
  }
}

function functions() {
  const { randomInt, randomUUID } = process.getBuiltinModule('node:crypto');
  return { randomInt, randomUUID };
}
