import { readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { native } from '../native/index.ts';
import { DnsServers } from './dns-servers.ts';
import type { Uniqueness } from './guest.ts';
import { IdleConnections } from './idle-connections.ts';
import { MathRandom } from './math-random.ts';
import type { RestoredMessage } from './protocol.ts';
import { RandomCaches } from './random-caches.ts';
import { TlsServers } from './tls-state.ts';

/** How long the work of other threads may keep the checkpoint waiting, in milliseconds. */
const PENDING_MS = 2000;
const POLL_MS = 1;

/** After so many the functions are optimized. */
const REHEARSALS = 20;

/** The UTS namespace that the kernel starts with has this number on every machine. */
const FIRST_UTS_NAMESPACE = 'uts:[4026531838]';

/** What makes this thread unique in a copy. */
export class ThreadUniqueness implements Uniqueness {
  readonly #math = new MathRandom();
  readonly #caches = new RandomCaches();
  readonly #connections = new IdleConnections();
  readonly #tls = new TlsServers();
  readonly #dns = new DnsServers();

  constructor() {
    // Programs that import the replaced functions by name get them as well.
    syncBuiltinESMExports();
  }

  async prepare(deadline: number): Promise<void> {
    if (!this.#math.canReseed) throw new Error('Math.random cannot be replaced: Math is frozen');
    reseed();
    await this.#connections.close();
    this.#dns.prepare();
    this.#rehearse();
    const until = Math.min(deadline, performance.now() + PENDING_MS);
    while (native().pendingRequests() > 0 && performance.now() < until) await sleep(POLL_MS);
  }

  /** Has V8 load and optimize now what each copy runs first. */
  #rehearse(): void {
    for (let times = 0; times < REHEARSALS; times++) this.#caches.drop();
    this.#dns.renew();
  }

  makeUnique(): void {
    reseed();
    this.#caches.drop();
    this.#math.reseed();
    this.#tls.renewTicketKeys();
    this.#connections.dropSessions();
    this.#dns.renew();
  }

  apply({ env = {}, args, hostname: name }: RestoredMessage): void {
    for (const [name, value] of Object.entries(env)) {
      if (value === null) delete process.env[name];
      else process.env[name] = value;
    }
    // The arguments of a worker thread are its own.
    if (!isMainThread) return;
    if (args) process.argv.splice(2, process.argv.length, ...args);
    if (name !== undefined && name !== hostname()) setHostname(name);
  }
}

function reseed(): void {
  if (!native().reseed()) throw new Error('the random generator of this Node cannot be reseeded');
}

function setHostname(name: string): void {
  if (readlinkSync('/proc/self/ns/uts') === FIRST_UTS_NAMESPACE) {
    throw new Error('the host name is not set, because it would be that of the machine');
  }
  native().setHostname(name);
}
