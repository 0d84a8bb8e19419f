// Simulates a fleet of 1,000 hosts and 20,000 workloads on a real Redis: npm run sim:fleet. The agents, the orders, the queues
// and the plans are the real ones; only processes and migrations are simulated, with the times that were measured (see
// world.mjs). It drains 100 hosts, prints what that took, fails if a goal is missed, and draws docs/fleet.svg with --write-docs.
//
//   node scripts/sim/fleet.mjs [--hosts 1000] [--workloads 20000] [--drained 100] [--scale 10] [--write-docs]
import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import {
  Dispatcher,
  keysOf,
  movesOf,
  planDrain,
  planPlacement,
  planRebalance,
  readView,
} from '../../build/simulation.mjs';
import { LabRedis } from '../../test/lab/fleet.mjs';
import { record } from '../pictures/draw.mjs';

const FLEET = 'simulation';
const LIMITS = { incoming: 2, outgoing: 2 };
/** The goals of the simulation. */
const GOALS = { planMs: 1000, overheadMs: 10, bytesPerWorkload: 2048 };
/** How many hosts are drained at once to measure the overhead: so few that moves do not wait for the processors. */
const MEASURED_HOSTS = 2;
const SAMPLE_MS = 250;
const IDLE_MS = 5000;
/** How often is measured what takes milliseconds: other programs may have the processors meanwhile. */
const RUNS = 3;

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1000' },
    workloads: { type: 'string', default: '20000' },
    drained: { type: 'string', default: '100' },
    scale: { type: 'string', default: '10' },
    limit: { type: 'string', default: '40' },
    'write-docs': { type: 'boolean', default: false },
  },
});
const [hosts, workloads, drained, scale, limit] = [
  ...['hosts', 'workloads', 'drained', 'scale', 'limit'].map((name) => Number(values[name])),
];

/** The process with the agents. */
class Agents {
  #child;
  #next = 0;
  #waiting = new Map();

  constructor(options) {
    const file = fileURLToPath(new URL('agents.mjs', import.meta.url));
    this.#child = fork(file, [JSON.stringify(options)]);
    this.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the agents have ended'));
    });
  }

  ask(task, argument) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, task, argument });
    });
  }

  async end() {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

const failures = [];
/** Prints a number, and whether it meets its goal. */
function report(what, value, isMet = true) {
  console.log(`${isMet ? ' ' : '!'} ${what.padEnd(58)} ${value}`);
  if (!isMet) failures.push(what);
}

// Each host has a disk of its own: a tmpfs comes closer to that than one disk for all of them.
const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const directory = mkdtempSync(join(parent, 'fleet-'));
const server = new LabRedis(directory);
let agents;
let redis;
let dispatcher;
try {
  await server.start();
  redis = new Redis({ path: server.path, maxRetriesPerRequest: null, enableAutoPipelining: true });
  await simulate();
} finally {
  await dispatcher?.[Symbol.asyncDispose]();
  redis?.disconnect();
  await agents?.end();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(`missed: ${failures.join('; ')}`);
  process.exitCode = 1;
}

async function simulate() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keys = keysOf(FLEET);
  const empty = await memoryInUse();
  const startedAt = performance.now();
  agents = new Agents({
    ...{ fleet: FLEET, path: server.path, directory: join(directory, 'hosts'), seed: 1 },
    ...{ hosts, workloads, scale, limits: LIMITS, heartbeatMs: 15_000 },
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
  });
  await agents.ask('start');
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  report(`${hosts} agents with ${workloads} workloads have joined after`, `${seconds} s`);
  const joined = await calmMemory();
  const idleBefore = await cpuMs();
  await sleep(IDLE_MS);
  const idle = ((await cpuMs()) - idleBefore) / (IDLE_MS / 1000);
  report('processor time of agents and Redis while nothing happens', `${idle.toFixed(0)} ms/s`);
  dispatcher = new Dispatcher({
    ...{ fleet: FLEET, redis, keys },
    operator: { name: 'simulation', key: privateKey },
  });

  const readAt = performance.now();
  const view = await readView(redis, keys);
  report('the view of the fleet is read in', `${(performance.now() - readAt).toFixed(0)} ms`);
  const names = view.hosts.map(({ name }) => name);
  planned('the plan of a placement', () => planPlacement(view, { memoryBytes: 2 ** 30 }));
  planned('the plan of a rebalance', () => planRebalance(view, { threshold: 0.02 }));

  const few = names.slice(-RUNS * MEASURED_HOSTS);
  const overheads = [];
  for (let at = 0; at < few.length; at += MEASURED_HOSTS) {
    const own = few.slice(at, at + MEASURED_HOSTS);
    const { view: ended } = await drain(own, planDrain(await readView(redis, keys), own));
    overheads.push(await overheadOf(ended, keys));
  }
  const least = Math.min(...overheads);
  report(
    `overhead of a move, the least of ${RUNS} medians`,
    `${least.toFixed(1)} ms (${overheads.map((each) => each.toFixed(1)).join(', ')})`,
    least <= GOALS.overheadMs,
  );

  const many = names.slice(0, drained);
  const now = await readView(redis, keys);
  const plan = planned(`the plan of a drain of ${drained} hosts`, () => planDrain(now, many));
  report('workloads without a host', plan.unplaced.length, plan.unplaced.length === 0);
  await redis.hset(keys.limits, 'moves', limit);
  const cpuBefore = await cpuMs();
  const { samples, tookMs, view: ended } = await drain(many, plan);
  const moves = ended.steps.length;
  const cpu = ((await cpuMs()) - cpuBefore - (idle * tookMs) / 1000) / moves;
  const minutes = Math.round((tookMs * scale) / 60_000);
  report('the drain has ended after', `${(tookMs / 1000).toFixed(1)} s (unscaled ${minutes} min)`);
  const areDone = ended.steps.every(({ state }) => state === 'done');
  const mean = samples.reduce((sum, { active }) => sum + active, 0) / samples.length;
  report('moves at once, on average', mean.toFixed(1));
  report('its moves', countsText(ended.steps.map(({ state }) => state)), areDone);
  report('processor time of a move, of both agents and Redis', `${cpu.toFixed(1)} ms`);
  await reportWorld();
  await reportResidents(keys, [...few, ...many]);
  const after = await calmMemory();
  for (const [what, used] of [
    ['joined', joined],
    ['drained', after],
  ]) {
    const bytes = (used.all - empty.all) / workloads;
    const clients = (used.clients - empty.clients) / workloads;
    report(
      `Redis memory of a workload once ${what}, and its part for connections`,
      `${Math.round(bytes)} bytes, ${Math.round(clients)} bytes`,
      bytes < GOALS.bytesPerWorkload,
    );
  }
  if (!values['write-docs']) return;
  const host = `${cpus().length} × ${cpus()[0].model}, Linux ${release()}, Node ${process.versions.node}`;
  record('fleet', { hosts, workloads, drained, moves, limit, scale, host, samples });
}

/** Makes a plan several times, and reports how long the first and the fastest took. */
function planned(what, task) {
  let result;
  const times = Array.from({ length: RUNS }, () => {
    const from = performance.now();
    result = task();
    return performance.now() - from;
  });
  const fastest = Math.min(...times);
  const text = times[0] === fastest ? '' : ` (the first ${times[0].toFixed(0)} ms)`;
  report(what, `${fastest.toFixed(0)} ms${text}`, fastest <= GOALS.planMs);
  return result;
}

/** Drains hosts as an operator does, and looks how far it is until it has ended. */
async function drain(names, { moves, unplaced }) {
  await Promise.all(names.map((name) => dispatcher.command(name, { kind: 'drain' })));
  const before = (await agents.ask('state')).counts.done;
  const from = performance.now();
  const operation = await dispatcher.order({
    ...{ kind: 'drain', target: `${names.length}-hosts` },
    steps: moves.map(({ workload, from: host, to, memoryBytes }) => ({
      ...{ host, action: { kind: 'move', workload, to } },
      shown: { workload, from: host, to, memoryBytes },
    })),
    unplaced: unplaced.map(({ workload }) => workload),
  });
  report(`${moves.length} moves are ordered after`, `${(performance.now() - from).toFixed(0)} ms`);
  const samples = [];
  let tookMs;
  const ended = operation.ended().finally(() => {
    tookMs = performance.now() - from;
  });
  while (tookMs === undefined) {
    const { active, counts } = await agents.ask('state');
    const seconds = ((performance.now() - from) * scale) / 1000;
    samples.push({
      seconds: Math.round(seconds),
      active,
      left: moves.length - (counts.done - before),
    });
    await Promise.race([sleep(SAMPLE_MS), ended.catch(() => {})]);
  }
  return { samples, tookMs, view: await ended };
}

/**
 * By how much moves took longer than their migrations, in milliseconds: from the moment when their host had a free slot to
 * their end; the median. Moves that were tried again are left out, because they wait on purpose.
 */
async function overheadOf({ steps }, keys) {
  const migrating = new Map(await agents.ask('overhead'));
  const found = [];
  for (const [host, own] of grouped(steps, ({ from }) => from)) {
    const queue = new Queue(movesOf(host), { connection: redis, prefix: keys.prefix });
    const jobs = await Promise.all(own.map(({ id }) => queue.getJob(id)));
    await queue.close();
    jobs.sort((a, b) => a.processedOn - b.processedOn);
    const freeAt = [];
    for (const { id, attemptsMade, processedOn, finishedOn } of jobs) {
      const isFirst = freeAt.length < LIMITS.outgoing;
      freeAt.sort((a, b) => a - b);
      const from = isFirst ? processedOn : freeAt.shift();
      freeAt.push(finishedOn);
      if (attemptsMade === 1) found.push(finishedOn - from - migrating.get(id));
    }
  }
  return found.sort((a, b) => a - b)[Math.floor(found.length / 2)];
}

async function reportWorld() {
  const { most, counts, warnings } = await agents.ask('state');
  const all = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  report('simulated migrations', all.join(', '));
  for (const [what, seen, allowed] of [
    ['to one host', most.incoming, LIMITS.incoming],
    ['from one host', most.outgoing, LIMITS.outgoing],
    ['in the fleet', most.active, limit],
  ]) {
    report(`the most moves at once ${what}`, `${seen} of ${allowed}`, seen <= allowed);
  }
  report('warnings of agents', warnings.join('; ') || 'none', warnings.length === 0);
}

/** Checks that each workload runs exactly once, that Redis says where, and that the drained hosts are empty. */
async function reportResidents(keys, emptied) {
  const real = await agents.ask('residents');
  const hostOf = new Map(real);
  const isOnce = real.length === workloads && hostOf.size === workloads;
  report('workloads that run, each once', hostOf.size, isOnce);
  const areEmpty = real.every(([, host]) => !emptied.includes(host));
  const until = performance.now() + 60_000;
  let wrong = 0;
  let notDrained = 0;
  do {
    const view = await readView(redis, keys);
    wrong = workloads - view.workloads.length;
    wrong += view.workloads.filter(({ name, host }) => hostOf.get(name) !== host).length;
    const states = new Map(view.hosts.map(({ name, state }) => [name, state]));
    notDrained = emptied.filter((name) => states.get(name) !== 'drained').length;
    if (wrong + notDrained > 0) await sleep(500);
  } while (wrong + notDrained > 0 && performance.now() < until);
  report('workloads that Redis has elsewhere', wrong, wrong === 0);
  report('drained hosts that are not empty', notDrained, areEmpty && notDrained === 0);
}

function grouped(all, keyOf) {
  const groups = new Map();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}

function countsText(all) {
  return [...grouped(all, (each) => each)]
    .map(([name, { length }]) => `${length} ${name}`)
    .join(', ');
}

/** The memory of Redis once it has freed the buffers of connections that are silent. */
async function calmMemory() {
  let last = await memoryInUse();
  for (let round = 0; round < 10; round++) {
    await sleep(2000);
    const now = await memoryInUse();
    if (now.all > 0.99 * last.all) return now;
    last = now;
  }
  return last;
}

async function memoryInUse() {
  const info = await redis.info('memory');
  const number = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)[1]);
  return { all: number('used_memory'), clients: number('mem_clients_normal') };
}

/** Processor time of the agents and of Redis so far, in milliseconds. */
async function cpuMs() {
  const info = await redis.info('cpu');
  const number = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1]);
  const server = 1000 * (number('used_cpu_sys') + number('used_cpu_user'));
  return (await agents.ask('state')).cpuMs + server;
}
