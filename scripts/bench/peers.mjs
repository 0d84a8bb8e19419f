// Measures this library beside criu's own command, libcriu, go-criu and pycriu, by turns; prints
// tables, and with --write-docs puts them into the README and docs/performance.md; writes all times to
// .cache/bench/peers.json. npm run bench, which takes a factor for the number of rounds:
// npm run bench -- 0.2
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cpus, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnCheckpointable } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { Client } from './client.mjs';
import { document, positionals } from './document.mjs';
import { importCosts } from './imports.mjs';
import { tables } from './report.mjs';

const LARGE_MIB = 1024;
const HEAP_MIB = 2048;
const AT_ONCE = 4;
/** How many processes are dumped at a time, with how many rounds of that. */
const CROWDS = { 32: 10, 500: 2 };
/** What an operation leaves to be done, a pool to fill say, is not to disturb the next one. */
const PAUSE_MS = 30;

const factor = Number(positionals[0] ?? 1);
const rounds = (whole, least = 3) => Math.max(least, Math.round(whole * factor));
const root = new URL('../../', import.meta.url).pathname;
const peers = `${root}.cache/bench/peers`;
const criu = criuPath();
/** A tmpfs that the clients with another /run see as well. */
const directory = mkdtempSync('/dev/shm/node-criu-bench-');
const python = [`${peers}/python`, { PYTHONHOME: `${peers}/root/usr` }];
const node = [process.execPath, `${root}scripts/bench/peers/node-criu.mjs`, criu];

/** By name, the command of the client; `many`: one client does several requests at a time. */
const contenders = {
  'node-criu': { command: node, many: true },
  criu: { command: [`${peers}/cli`, criu] },
  libcriu: { command: [`${peers}/libcriu`, criu] },
  'go-criu': { command: [`${peers}/go-criu`, criu], many: true },
  pycriu: { command: [python[0], `${root}scripts/bench/peers/py-criu.py`, criu], env: python[1] },
  'node-criu, prewarm': { command: [...node, String(AT_ONCE)], many: true },
  'node-criu, threads': { command: [...node, '0', String(AT_ONCE)], many: true },
};
const names = Object.keys(contenders);
/** Without those of ours that only some rows are about. */
const cold = names.filter((name) => !name.includes(','));
const single = names.filter((name) => name !== 'node-criu, threads');

const measured = {};
const clients = start(names);
progress('VERSION');
await measureVersion();
progress('features');
measured.features = await byTurns(rounds(100), requests(clients, cold, 'features'));
progress('dumps of 1 MiB');
const small = await workload(1);
measured['dump 1'] = await byTurns(rounds(100), dumps(single, small.pid), { cpu: 'cpu, dump' });
progress('restores');
await measureRestore();
progress('dumps of 256 MiB');
await measureLargeDump();
for (const [processes, times] of Object.entries(CROWDS)) {
  progress(`${processes} dumps`);
  await measureThroughput(Number(processes), rounds(times, 1));
}
progress('a large heap');
await measureHeap();
progress('/run on a disk');
await measurePlainRun();
await closeAll(clients);
small.kill('SIGKILL');
progress('imports');
Object.assign(measured, await importCosts(rounds(20), python));
rmSync(directory, { recursive: true });
report();

/** Says what is measured next: all of it takes many minutes. */
function progress(what) {
  console.error(`bench: ${what}`);
}

function start(which) {
  return new Map(
    which.map((name) => {
      const { command, env } = contenders[name];
      return [name, new Client(name, command, env)];
    }),
  );
}

async function closeAll(them) {
  for (const client of them.values()) await client.close();
}

/** Small clients and large ones. */
async function measureVersion() {
  const large = start(cold);
  for (const name of cold) await large.get(name).ask('grow', LARGE_MIB);
  const jobs = {
    ...requests(clients, single, 'version'),
    ...Object.fromEntries(
      Object.entries(requests(large, cold, 'version')).map(([name, job]) => [`large ${name}`, job]),
    ),
  };
  const all = await byTurns(rounds(200), jobs);
  measured.version = pick(all, single, '');
  measured['version, large'] = pick(all, cold, 'large ');
  await closeAll(large);
}

async function measureRestore() {
  const images = `${directory}/restore`;
  mkdirSync(images);
  const victim = await workload(1);
  await clients.get('criu').ask('dump', victim.pid, images, 1);
  await victim.exited;
  const jobs = requests(clients, single, 'restore', images);
  const after = async () => {
    process.kill(victim.pid, 'SIGKILL');
    while (existsSync(`/proc/${victim.pid}`)) await sleep(1);
  };
  measured.restore = await byTurns(rounds(60), jobs, { after, cpu: 'cpu, restore' });
}

/** Also how long the event loop stalls meanwhile, and how long while others dump. */
async function measureLargeDump() {
  const large = await workload(256);
  const ours = clients.get('node-criu');
  const stalls = { 'node-criu': [], idle: [] };
  const jobs = Object.fromEntries(
    Object.entries(dumps(cold, large.pid)).map(([name, job]) => [
      name,
      async (round) => {
        await ours.ask('stall');
        const took = await job();
        const stall = await ours.ask('stall');
        if (round > 0) stalls[name === 'node-criu' ? name : 'idle'].push(stall);
        return took;
      },
    ]),
  );
  measured['dump 256'] = await byTurns(rounds(30), jobs);
  measured.stall = stalls;
  large.kill('SIGKILL');
}

/** A client that does one thing at a time gets help. */
async function measureThroughput(processes, times) {
  const crowd = [];
  while (crowd.length < processes) crowd.push(await workload(1));
  const teams = new Map();
  for (const name of names) {
    const own = clients.get(name);
    const more = contenders[name].many
      ? Array(AT_ONCE - 1).fill(own)
      : Array.from({ length: AT_ONCE - 1 }, () => start([name]).get(name));
    for (const helper of more) if (helper !== own) await helper.ask('version');
    teams.set(name, [own, ...more]);
  }
  const jobs = Object.fromEntries(
    names.map((name) => [name, () => dumpAll(teams.get(name), crowd)]),
  );
  // The clients have worked before, and each round takes long.
  measured[`throughput ${processes}`] = await byTurns(times, jobs, { discards: false });
  for (const [name, team] of teams) {
    for (const client of team) if (client !== clients.get(name)) await client.close();
  }
  for (const process of crowd) process.kill('SIGKILL');
}

/** Our client with a large heap of small objects, half of the time busy, beside others of that size. */
async function measureHeap() {
  const command = [node[0], `--max-old-space-size=${2 * HEAP_MIB}`, ...node.slice(1)];
  const large = start(['libcriu']).set('node-criu', new Client('node-criu', command));
  await large.get('libcriu').ask('grow', HEAP_MIB);
  await large.get('node-criu').ask('heap', HEAP_MIB);
  await large.get('node-criu').ask('load');
  measured['version, heap'] = await byTurns(
    rounds(100),
    requests(large, ['node-criu', 'libcriu'], 'version'),
  );
  await closeAll(large);
}

/**
 * Where /run is no tmpfs. The process is in the mount namespace of the clients, because CRIU otherwise dumps the
 * contents of all tmpfs mounts that it finds there.
 */
async function measurePlainRun() {
  // Its descriptors are of that namespace, too.
  const script = `mount --bind "$0" /run && exec "$@" < /dev/null > ${directory}/said 2>&1`;
  const withPlainRun = () => {
    const run = mkdtempSync(`${root}.cache/bench/run-`);
    return workload(1, ['unshare', '--mount', 'sh', '-c', script, run]);
  };
  const [bare, kept] = [await withPlainRun(), await withPlainRun()];
  const inside = ({ pid }, name, { command, env }) => [
    name,
    new Client(name, ['nsenter', `--target=${pid}`, '--mount', ...command], env),
  ];
  const ours = contenders['node-criu, prewarm'];
  const them = new Map([
    ...cold.map((name) => inside(bare, name, contenders[name])),
    inside(bare, 'node-criu, prewarm', ours),
    inside(kept, 'node-criu, cache', contenders['node-criu']),
    inside(kept, 'node-criu, prewarm and cache', ours),
  ]);
  const [cached, others] = [true, false].map((is) =>
    [...them.keys()].filter((name) => name.endsWith('cache') === is),
  );
  const hadCache = existsSync('/dev/.criu');
  for (const name of cached) await them.get(name).ask('cache');
  measured['dump 1, plain /run'] = await byTurns(rounds(40), {
    ...dumps(others, bare.pid, them),
    ...dumps(cached, kept.pid, them),
  });
  await closeAll(them);
  for (const process of [bare, kept]) process.kill('SIGKILL');
  // The caches are links to a file there.
  if (!hadCache) rmSync('/dev/.criu', { recursive: true, force: true });
  for (const name of readdirSync(`${root}.cache/bench`)) {
    if (name.startsWith('run-')) rmSync(`${root}.cache/bench/${name}`, { recursive: true });
  }
}

async function dumpAll(team, crowd) {
  const images = mkdtempSync(`${directory}/crowd-`);
  for (const { pid } of crowd) mkdirSync(`${images}/${pid}`);
  const left = [...crowd];
  const start = performance.now();
  await Promise.all(
    team.map(async (client) => {
      for (let one = left.pop(); one; one = left.pop()) {
        await client.ask('dump', one.pid, `${images}/${one.pid}`, 0);
      }
    }),
  );
  const took = performance.now() - start;
  rmSync(images, { recursive: true });
  return took;
}

/** By contender, a request to its client. */
function requests(them, which, ...request) {
  return Object.fromEntries(which.map((name) => [name, () => them.get(name).ask(...request)]));
}

/** By contender, a dump of a process that runs on, into a new directory. */
function dumps(which, pid, them = clients) {
  const images = `${directory}/images`;
  return Object.fromEntries(
    which.map((name) => [
      name,
      async () => {
        mkdirSync(images);
        const took = await them.get(name).ask('dump', pid, images, 0);
        rmSync(images, { recursive: true });
        return took;
      },
    ]),
  );
}

/**
 * Does each job once a round, in an order that changes. Unless `discards` is false, what the first of one more
 * round finds is not kept. The processor time of the clients is kept under the name `cpu`.
 */
async function byTurns(count, jobs, { after = () => {}, cpu, discards = true } = {}) {
  const lists = () => Object.fromEntries(Object.keys(jobs).map((name) => [name, []]));
  const times = lists();
  const spent = lists();
  if (cpu) measured[cpu] = spent;
  for (let round = discards ? 0 : 1; round <= count; round++) {
    for (const [name, job] of shuffled(Object.entries(jobs))) {
      const before = cpu ? clients.get(name).cpu() : 0;
      const took = await job(round);
      await after();
      await sleep(PAUSE_MS);
      if (round === 0) continue;
      times[name].push(took);
      if (cpu) spent[name].push(clients.get(name).cpu() - before);
    }
  }
  return times;
}

function shuffled(list) {
  return list
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

function pick(times, which, prefix) {
  return Object.fromEntries(which.map((name) => [name, times[prefix + name]]));
}

/** A process that holds so much memory and does nothing, executed by a program that prepares for it. */
async function workload(mib, preparation = []) {
  const said = `${directory}/said`;
  const [file, ...args] = [...preparation, `${root}.cache/fixtures/fill`, String(mib)];
  const process = await spawnCheckpointable(file, args, { stdout: said, stderr: said });
  while (!readFileSync(said, 'utf8').includes('full')) await sleep(5);
  // It holds the file open, which a dump need not find again under that name.
  writeFileSync(said, '');
  return process;
}

function report() {
  const machine = {
    processors: `${cpus().length} × ${cpus()[0].model}`,
    kernel: release(),
    node: process.version,
    criu,
    peers: readFileSync(`${peers}/versions`, 'utf8').trim().split('\n'),
    at: new Date().toISOString(),
    factor,
  };
  writeFileSync(`${root}.cache/bench/peers.json`, JSON.stringify({ machine, measured }, null, 1));
  const { medians, spread, targets, readme } = tables(measured);
  document('README.md', 'bench:readme', readme);
  document('docs/performance.md', 'bench', medians);
  document('docs/performance.md', 'bench:spread', spread);
  document('docs/performance.md', 'bench:targets', targets);
  console.log([medians, spread, targets].join('\n\n'));
}
