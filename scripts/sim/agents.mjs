// All agents of the simulated fleet, in one process, which scripts/sim/fleet.mjs starts and asks.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { checkJoinOptions, FleetMember, keysOf } from '../../build/simulation.mjs';
import { randomNumbers, SimulatedHost, World } from './world.mjs';

const GIB = 2 ** 30;
/** How many agents are started at once. */
const STARTING = 25;
const FIRST_PORT = 10_000;

const given = JSON.parse(process.argv[2]);
const { fleet, path, directory, hosts, workloads, limits, publicKey, heartbeatMs } = given;
const world = new World(given);
const members = [];
const warnings = [];

const tasks = { start, stop, state, overhead, residents };

process.on('message', async ({ id, task, argument }) => {
  try {
    process.send({ id, result: await tasks[task](argument) });
  } catch (error) {
    process.send({ id, error: error.stack });
  }
});

/** The agents find their workloads in their directories, as after a restart. */
async function start() {
  const random = randomNumbers(given.seed + 1);
  // What BullMQ's workers require.
  const redis = new Redis({ path, maxRetriesPerRequest: null, enableAutoPipelining: true });
  const names = Array.from({ length: hosts }, (_, at) => hostName(at));
  const pending = names.map((name, at) => {
    const memoryBytes = (at % 4 === 0 ? 64 : 32) * GIB;
    const host = new SimulatedHost(world, { name, port: FIRST_PORT + at, memoryBytes, limits });
    return { name, at, host };
  });
  for (let at = 0; at < workloads; at++) {
    const { host } = pending[at % hosts];
    writeWorkload(host, at, random);
  }
  const joinNext = async () => {
    for (let next = pending.shift(); next; next = pending.shift()) {
      const { name, at, host } = next;
      const options = checkJoinOptions({
        ...{ name, limits, heartbeatMs, labels: { zone: `zone-${at % 3}` } },
        ...{ listen: { host: '127.0.0.1', port: FIRST_PORT + at }, insecure: true },
        directory: join(directory, name),
        operators: [{ name: 'simulation', publicKey }],
        hooks: { warning: ({ message }) => warnings.push(message) },
      });
      const context = { fleet, redis, keys: keysOf(fleet), backend: host };
      members.push(await FleetMember.join(options, context));
    }
  };
  await Promise.all(Array.from({ length: STARTING }, joinNext));
  return { members: members.length };
}

function hostName(at) {
  return `host-${String(at).padStart(5, '0')}`;
}

function writeWorkload(host, at, random) {
  const name = `work-${String(at).padStart(6, '0')}`;
  const app = `app-${at % 2000}`;
  // Between 64 MiB and 1 GiB.
  const memoryBytes = Math.floor(GIB * 2 ** (-4 * random()));
  const pid = world.spawn(host, name, memoryBytes);
  const entry = {
    spec: {
      ...{ name, pid, labels: { app, tier: at % 5 === 0 ? 'db' : 'web' } },
      placement: at % 3 === 0 ? { antiAffinity: { app } } : {},
    },
    ...{ kind: 'process', root: { pid, startTime: `${pid}` }, state: 'running' },
    ...{ migration: undefined, generation: 0, since: Date.now() },
  };
  const folder = join(directory, host.name, 'fleet/workloads');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(entry), { mode: 0o600 });
}

/** What was seen so far. */
async function state() {
  const { most, counts, active } = world;
  return { most, counts, active, cpuMs: cpuMs(), warnings: [...new Set(warnings)].slice(0, 10) };
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** How long the migrations of each step took, in milliseconds. */
async function overhead() {
  return [...world.migrating];
}

/** Where each workload really runs, as `[workload, host]`. */
async function residents() {
  return [...world.processes.values()].map(({ name, host }) => [name, host.name]);
}

async function stop() {
  await Promise.all(members.map((member) => member.close()));
  setImmediate(() => process.exit());
}
