// Hosts whose processes and migrations are simulated, for the agents of scripts/sim/agents.mjs.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError } from '../../build/simulation.mjs';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** What pre-copy took in all, by the measurements of docs/performance.md: 2533 ms for 64 MiB and 3843 ms for 256 MiB. */
const TOTAL_MS = { fixed: 2096, perMib: 6.82 };
/** What the client waited: 637 ms and 1605 ms. */
const DOWNTIME_MS = { fixed: 314, perMib: 5.04 };
/** How far a migration may be from that, up and down. */
const JITTER = 0.2;
/** Which part of the migrations fails, and how. */
const FAILURES = { refused: 0.02, unreachable: 0.01, failed: 0.02 };
const RESERVED_BYTES = 4 * GIB;

/** A generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All simulated hosts, and what was seen of them. */
export class World {
  /** The hosts, by the port of each. */
  hosts = new Map();
  /** What runs, by pid. */
  processes = new Map();
  active = 0;
  /** The most that was ever under way at once: to one host, from one host, and in all. */
  most = { incoming: 0, outgoing: 0, active: 0 };
  counts = { begun: 0, done: 0, busy: 0, refused: 0, unreachable: 0, failed: 0 };
  /** How long the migrations of each step took, in milliseconds: what is left of a move is overhead. */
  migrating = new Map();
  #nextPid = 100;

  /** @param scale how many times faster than in reality migrations are */
  constructor({ seed, scale }) {
    this.random = randomNumbers(seed);
    this.scale = scale;
  }

  spawn(host, name, memoryBytes) {
    const pid = this.#nextPid++;
    this.processes.set(pid, { host, name, memoryBytes, isRunning: true });
    host.usedBytes += memoryBytes;
    return pid;
  }

  end(pid) {
    const process = this.processes.get(pid);
    if (!process) return;
    process.host.usedBytes -= process.memoryBytes;
    this.processes.delete(pid);
  }

  /** Begins a failure for some of the migrations; undefined for the others. */
  chooseFailure() {
    let left = this.random();
    for (const [kind, part] of Object.entries(FAILURES)) {
      left -= part;
      if (left < 0) return kind;
    }
    return undefined;
  }

  /** Times in the simulation, in milliseconds of a migration of that size. */
  timesOf(memoryBytes) {
    const jitter = 1 - JITTER + 2 * JITTER * this.random();
    const mib = memoryBytes / MIB;
    const total = (TOTAL_MS.fixed + TOTAL_MS.perMib * mib) * jitter;
    const downtime = Math.min(total / 2, (DOWNTIME_MS.fixed + DOWNTIME_MS.perMib * mib) * jitter);
    return { total, downtime };
  }
}

/** The backend of an agent whose host is simulated. */
export class SimulatedHost {
  incoming = 0;
  outgoing = 0;
  usedBytes = RESERVED_BYTES;
  #world;
  #arrivals;

  constructor(world, { name, port, memoryBytes, limits }) {
    this.#world = world;
    Object.assign(this, { name, port, memoryTotal: memoryBytes, limits });
    world.hosts.set(port, this);
  }

  async facts() {
    return {
      ...{ criu: 40201, kernel: '6.12.0', architecture: 'x64', cpu: 'avx avx2 sse4_2' },
      ...{ memTrack: true, lazyPages: true, memoryBytes: this.memoryTotal },
      freeMemoryBytes: Math.max(0, this.memoryTotal - this.usedBytes),
      ...{ freeDiskBytes: 500 * GIB, load: 1, processors: 16 },
    };
  }

  async serve(arrivals) {
    this.#arrivals = arrivals;
    return { host: '127.0.0.1', port: this.port, close: async () => {} };
  }

  async start() {
    throw new Error('the simulation begins with the workloads that the agents find');
  }

  async end() {}

  specHere(spec) {
    return spec;
  }

  rootOf(pid) {
    return this.#world.processes.has(pid) ? { pid, startTime: `${pid}` } : undefined;
  }

  isRunning({ pid }) {
    return this.#world.processes.get(pid)?.host === this;
  }

  async memoryBytes({ pid }) {
    return this.#world.processes.get(pid)?.memoryBytes ?? 0;
  }

  async unresolved() {
    return [];
  }

  async resolve() {
    return { owner: 'source', copy: undefined };
  }

  async migrate(request) {
    const move = new SimulatedMove();
    move.result = this.#migrate(request, move).finally(() => move.end());
    // It is awaited later.
    move.result.catch(() => {});
    return move;
  }

  async #migrate(request, move) {
    const world = this.#world;
    const started = performance.now();
    const step = JSON.parse(request.metadata.fleet.order.body).id;
    world.counts.begun++;
    const failure = world.chooseFailure();
    try {
      // As in a real migration the caller has the id before the first phase.
      await new Promise(setImmediate);
      await request.phase('offer');
      const to = world.hosts.get(request.to.port);
      if (!to || failure === 'unreachable') throw refused('unreachable', world);
      if (failure === 'refused') throw refused('no-space', world);
      if (to.incoming >= to.limits.incoming) throw refused('busy', world);
      return await this.#send(request, move, { to, failure });
    } finally {
      const took = performance.now() - started;
      world.migrating.set(step, (world.migrating.get(step) ?? 0) + took);
    }
  }

  async #send(request, move, { to, failure }) {
    const world = this.#world;
    const { root, spec, metadata } = request;
    const { memoryBytes } = world.processes.get(root.pid);
    const { total, downtime } = world.timesOf(memoryBytes);
    const wait = (ms) => sleep(ms / world.scale, undefined, { signal: move.signal });
    this.outgoing++;
    to.incoming++;
    world.active++;
    const { most } = world;
    most.outgoing = Math.max(most.outgoing, this.outgoing);
    most.incoming = Math.max(most.incoming, to.incoming);
    most.active = Math.max(most.active, world.active);
    let copy;
    try {
      await to.#arrivals.authorize(move.id, metadata, this.name);
      await request.phase('rounds');
      for (const part of [0.5, 1]) {
        await wait((total - downtime) / 2);
        move.emit({ phase: 'rounds', bytes: part * memoryBytes, totalBytes: memoryBytes });
        if (failure === 'failed') {
          world.counts.failed++;
          throw new CriuError('ERR_CRIU_MIGRATION_FAILED', 'migrate: the connection broke', {
            workload: 'running',
          });
        }
      }
      await request.phase('dump');
      await wait(downtime);
      copy = world.spawn(to, spec.name, memoryBytes);
      await to.#arrivals.restored(move.id, metadata, copy);
      // From here on the copy runs, and the original does not.
      world.end(root.pid);
      world.counts.done++;
      await to.#arrivals.ended(move.id, true);
      return {
        ...{ pid: copy, mode: 'pre-copy', bytes: memoryBytes },
        ...{ downtimeMs: downtime, totalMs: total },
      };
    } finally {
      this.outgoing--;
      to.incoming--;
      world.active--;
    }
  }
}

function refused(refusal, { counts }) {
  counts[refusal === 'no-space' ? 'refused' : refusal]++;
  return new CriuError('ERR_CRIU_MIGRATION_REFUSED', `migrate: refused (${refusal})`, {
    ...{ refusal, workload: 'running' },
  });
}

/** A migration under way: its id, its events, its result. */
class SimulatedMove {
  id = randomUUID();
  result;
  #events = [];
  #wake = () => {};
  #hasEnded = false;
  #abort = new AbortController();

  get signal() {
    return this.#abort.signal;
  }

  emit(event) {
    this.#events.push(event);
    this.#wake();
  }

  end() {
    this.#hasEnded = true;
    this.#wake();
  }

  async cancel() {
    this.#abort.abort(new Error('the migration was cancelled'));
    await this.result.catch(() => {});
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      while (this.#events.length > 0) yield this.#events.shift();
      if (this.#hasEnded) return;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
