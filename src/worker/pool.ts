import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { standardConfigFiles } from '../options/config-file.ts';
import { environmentEntries } from './environment.ts';
import type { Program } from './program.ts';
import { Zygote } from './zygote.ts';
import type { ZygoteWorker } from './zygote-worker.ts';

/** The delay before a service that died in the pool is replaced, in milliseconds. It doubles each time. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** The delay before a service that has ended with its operation is replaced, so that the next operation runs first. */
const REPLACE_AFTER_MS = 25;

/** A service and its worker. */
interface Member {
  readonly zygote: Zygote;
  readonly worker: ZygoteWorker;
  /** The conditions that the service was started under. */
  readonly startedWith: string;
}

/**
 * Services that are started before they are needed, each with a worker that waits for a request. They do not
 * keep Node running.
 */
export class Pool {
  readonly #size: number;
  readonly #idle: Member[] = [];
  /** Those whose worker serves an operation. */
  readonly #lent = new Map<ZygoteWorker, Member>();
  /** Pending ends of services that are no longer used. */
  readonly #ending = new Set<Promise<unknown>>();
  #program: Program | undefined;
  #filling: Promise<void> | undefined;
  #starting: Promise<Zygote> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #replacement: NodeJS.Timeout | undefined;
  #delayMs = FIRST_DELAY_MS;
  #closed = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** Takes a worker of this program, if there is one. When it has ended, its service forks the next one. */
  take(program: Program): ZygoteWorker | undefined {
    // The workers of a service ignore these files.
    if (standardConfigFiles().some((path) => existsSync(path))) return undefined;
    const startedWith = startConditions(program);
    // A worker from another working directory, for example, would resolve relative paths wrongly.
    const stale = this.#idle.filter((idle) => idle.startedWith !== startedWith);
    for (const member of stale) this.#drop(member);
    const taken = this.#idle.shift();
    if (!taken) {
      this.startSoon(program);
      return undefined;
    }
    this.#delayMs = FIRST_DELAY_MS;
    this.#lent.set(taken.worker, taken);
    return taken.worker;
  }

  /** Takes back a worker that can serve another request. */
  giveBack(worker: ZygoteWorker): void {
    const member = this.#lent.get(worker);
    if (!member) return;
    this.#lent.delete(worker);
    this.#idle.push(member);
    if (this.#closed) this.#drop(member);
  }

  /** Fills the pool in the background. */
  start(program: Program): void {
    this.#program = program;
    if (this.#retry || this.#closed) return;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
  }

  /** Ends all services and waits until they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#replacement);
    await this.#endStarting();
    await this.#filling;
    for (const member of [...this.#idle]) this.#drop(member);
    await Promise.all(this.#ending);
  }

  async #fill(): Promise<void> {
    // Let operations that start at this moment spawn first.
    await nextTurn();
    while (!this.#closed && this.#program && this.#idle.length + this.#lent.size < this.#size) {
      // A service has died meanwhile: its replacement is delayed.
      if (this.#retry) return;
      try {
        const startedWith = startConditions(this.#program);
        this.#starting = Zygote.start(this.#program.path);
        const zygote = await this.#starting;
        await zygote.ready;
        zygote.child.exit.exited.then(() => this.#onServiceEnd(zygote));
        this.#connect(zygote, startedWith);
      } catch {
        await this.#endStarting();
        // The next operation reports why criu cannot be started.
        this.#startLater();
        return;
      } finally {
        this.#starting = undefined;
      }
    }
  }

  async #endStarting(): Promise<void> {
    const zygote = await this.#starting?.catch(() => undefined);
    await zygote?.end();
  }

  /** Has a service fork a worker, which waits for a request. */
  #connect(zygote: Zygote, startedWith: string): void {
    const member = { zygote, startedWith, worker: zygote.connect() };
    this.#idle.push(member);
    member.worker.exited.then(({ code }) => this.#onEnd(member, code === 0));
  }

  /** A worker that waits for a request outlives its service until its connection is closed. */
  #onServiceEnd(zygote: Zygote): void {
    this.#idle.find((member) => member.zygote === zygote)?.worker.close();
  }

  #onEnd(member: Member, hasSucceeded: boolean): void {
    const { zygote, startedWith, worker } = member;
    const wasLent = this.#lent.delete(worker);
    if (wasLent && hasSucceeded && !this.#closed) {
      try {
        this.#connect(zygote, startedWith);
        return;
      } catch {
        // The service has ended as well.
      }
    }
    const place = this.#idle.indexOf(member);
    if (place >= 0) this.#drop(member);
    // Its operation closes the connection, on which a reply may wait.
    else this.#end(zygote.end());
    if (!this.#program) return;
    if (wasLent) this.startSoon(this.#program);
    else if (place >= 0) this.#startLater();
  }

  #drop(member: Member): void {
    this.#idle.splice(this.#idle.indexOf(member), 1);
    this.#end(member.zygote.end(member.worker));
  }

  #end(ending: Promise<void>): void {
    const ended = ending.finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** Fills the pool after the operations of this moment have started. */
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
