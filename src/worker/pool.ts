import { spawnSlot } from '../concurrency/spawn-slot.ts';
import { environmentEntries } from './environment.ts';
import type { Program } from './program.ts';
import { Worker } from './worker.ts';

/** The delay before a worker that died in the pool is replaced, in milliseconds. It doubles each time. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** The delay before a worker that was taken is replaced, so that the operation using it runs first. */
const REPLACE_AFTER_MS = 25;

/** A worker that waits for a request, and the conditions that it was started under. */
interface Idle {
  readonly worker: Worker;
  readonly startedWith: string;
}

/** Workers that are started before they are needed. They do not keep Node running. */
export class Pool {
  readonly #size: number;
  readonly #idle: Idle[] = [];
  /** Pending ends of workers that are no longer used. */
  readonly #ending = new Set<Promise<unknown>>();
  #program: Program | undefined;
  #filling: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #replacement: NodeJS.Timeout | undefined;
  #delayMs = FIRST_DELAY_MS;
  #closed = false;

  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Takes a worker of this program, if there is one, and schedules its replacement.
   * @param comesBack true if the caller returns the worker, so that it needs no replacement
   */
  take(program: Program, comesBack: boolean): Worker | undefined {
    const startedWith = startConditions(program);
    // A worker from another working directory, for example, would resolve relative paths wrongly.
    const stale = this.#idle.filter((idle) => idle.startedWith !== startedWith);
    for (const idle of stale) this.#drop(idle);
    const taken = this.#idle.shift();
    if (!taken || !comesBack) this.startSoon(program);
    if (!taken) return undefined;
    this.#delayMs = FIRST_DELAY_MS;
    return taken.worker;
  }

  /** Takes back a worker that can serve another request. */
  giveBack(worker: Worker, program: Program): void {
    if (this.#closed || this.#idle.length >= this.#size) this.#end(worker);
    else this.#keep({ worker, startedWith: startConditions(program) });
  }

  /** Fills the pool in the background. */
  start(program: Program): void {
    this.#program = program;
    if (this.#retry) return;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
  }

  /** Ends all workers and waits until they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#replacement);
    await this.#filling;
    for (const { worker } of this.#idle.splice(0)) this.#end(worker);
    await Promise.all(this.#ending);
  }

  async #fill(): Promise<void> {
    // Let operations that start at this moment spawn first.
    await spawnSlot();
    while (!this.#closed && this.#program && this.#idle.length < this.#size) {
      // A worker has died meanwhile: its replacement is delayed.
      if (this.#retry) return;
      try {
        const startedWith = startConditions(this.#program);
        this.#keep({ worker: Worker.start({ path: this.#program.path }), startedWith });
      } catch {
        // The next operation reports why criu cannot be started.
        this.#startLater();
        return;
      }
      await spawnSlot();
    }
  }

  #keep(idle: Idle): void {
    this.#idle.push(idle);
    idle.worker.exited.then(() => {
      const place = this.#idle.indexOf(idle);
      if (place < 0) return;
      this.#idle.splice(place, 1);
      this.#end(idle.worker);
      this.#startLater();
    });
  }

  #drop(idle: Idle): void {
    this.#idle.splice(this.#idle.indexOf(idle), 1);
    this.#end(idle.worker);
  }

  #end(worker: Worker): void {
    const ended = worker.end().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** Schedules a replacement for a worker that was taken and is not returned. */
  startSoon(program: Program): void {
    if (this.#closed) return;
    this.#replacement ??= setTimeout(() => {
      this.#replacement = undefined;
      this.start(program);
    }, REPLACE_AFTER_MS).unref();
  }

  #startLater(): void {
    if (this.#closed || this.#retry) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#program) this.start(this.#program);
    }, this.#delayMs).unref();
    this.#delayMs = Math.min(2 * this.#delayMs, LONGEST_DELAY_MS);
  }
}

function startConditions({ identity }: Program): string {
  return [identity, workingDirectory(), process.umask(), ...environmentEntries()].join('\0');
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // The directory was removed: no relative path can be resolved from it.
    return '';
  }
}
