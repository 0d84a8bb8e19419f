// Measures what rounds that compare memory cost: the time of a round by the size of the memory, the requests per
// second that a server loses meanwhile, and what a migration with rounds gains over a link of 1 Gbit/s. Prints the
// tables, and with --write-docs puts them into docs/iterative-dumps.md and docs/performance.md.
//
// usage: npm run bench:compare [-- REPEATS [GIB…]]
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Criu, spawnCheckpointable } from '../../dist/index.js';
import { Lab } from '../../test/lab/hosts.mjs';
import { migrateIt, startScene } from '../../test/lab/migration.mjs';
import { criuPath } from '../criu-path.mjs';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const [repeats = '5', ...given] = positionals;
const sizes = given.length > 0 ? given.map(Number) : [1, 4];
/** How long the requests of a server are counted. */
const WINDOW_MS = 3000;
/** What the link carries, and the memory of the server that moves over it. */
const LINK = ['tbf', 'rate', '1gbit', 'burst', '1mb', 'latency', '50ms'];
const MOVED_MIB = 1024;

/** Keeps 256 MiB, of which each request changes a page. */
const SERVER = `
  const crypto = require('crypto');
  const kept = Array.from({ length: 256 }, () => crypto.randomBytes(1 << 20));
  let count = 0;
  require('http').createServer((request, response) => {
    kept[count++ % 256].writeUInt32LE(count, 0);
    response.end(String(count));
  }).listen(process.argv[1], '127.0.0.1');`;

/** Sends one request after the other, and tells how many were answered. */
const CLIENT = `
  const { parentPort, workerData } = require('worker_threads');
  const { Agent, get } = require('http');
  const agent = new Agent({ keepAlive: true });
  let answers = 0;
  const ask = () => get({ port: workerData, agent }, (response) => {
    response.resume().on('end', () => { answers++; ask(); });
  });
  ask();
  parentPort.on('message', () => parentPort.postMessage(answers));`;

const criu = new Criu({ path: criuPath() });
const reports = [
  ['docs/iterative-dumps.md', 'bench:compare:size', await bySize()],
  ['docs/iterative-dumps.md', 'bench:compare:load', await underLoad()],
  ['docs/performance.md', 'bench:compare:link', await overLink()],
];
await criu.close();
for (const [page, mark, lines] of reports) {
  document(page, mark, lines.join('\n'));
  console.log(`${lines.join('\n')}\n`);
}

/** The second round of a program that does nothing, and the memory that the caller has for it. */
async function bySize() {
  const lines = ['| Memory | Compared with | A round | per GiB | Memory of the caller |'];
  lines.push('| --- | --- | --- | --- | --- |');
  for (const gib of sizes) {
    for (const compareWith of ['hashes', 'copy']) {
      const { roundMs, callerMib } = await compareOnce(gib, compareWith);
      const cells = [`${gib} GiB`, compareWith, `${roundMs.toFixed(0)} ms`];
      cells.push(`${(roundMs / gib).toFixed(0)} ms`, `${callerMib.toFixed(0)} MiB`);
      lines.push(`| ${cells.join(' | ')} |`);
      console.error(lines.at(-1));
    }
  }
  return lines;
}

async function compareOnce(gib, compareWith) {
  // The images of the first round are as large as the memory, and the machine may not have it twice.
  const directory = mkdtempSync('/var/tmp/bench-compare-');
  const args = [`${directory}/writes`, gib * 1024, 1, 1].map(String);
  const program = await spawnCheckpointable(fixture(), args);
  try {
    while (residentBytes(program.pid) < gib * 2 ** 30) await sleep(100);
    const before = process.memoryUsage.rss();
    const options = { imagesDirectory: `${directory}/images`, tracking: 'compare', compareWith };
    const iteration = await criu.iterate(program.pid, { ...options, durable: false });
    await iteration.preDump();
    const callerMib = (process.memoryUsage.rss() - before) / 2 ** 20;
    const rounds = [];
    for (let n = 0; n < Number(repeats); n++) rounds.push((await iteration.preDump()).durationMs);
    await iteration.close();
    return { roundMs: median(rounds), callerMib };
  } finally {
    program.kill('SIGKILL');
    await program.exited;
    rmSync(directory, { recursive: true });
  }
}

function residentBytes(pid) {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}

function fixture() {
  const script = new URL('../fixture.sh', import.meta.url).pathname;
  return execFileSync('bash', [script, 'memory'], { encoding: 'utf8' }).trim();
}

/** How many requests a second a server answers while rounds follow each other, of those that it answers else. */
async function underLoad() {
  const lines = [
    '| Rounds | Requests per second | of those without rounds |',
    '| --- | --- | --- |',
  ];
  const ways = {
    none: undefined,
    'one after the other': {},
    'with lowPriority': { lowPriority: true },
    'at most 256 MiB a second': { rateLimit: 256 * 2 ** 20 },
  };
  const port = 8099;
  const program = await spawnCheckpointable(process.execPath, ['-e', SERVER, String(port)]);
  await program.listening(port);
  const client = new Worker(CLIENT, { eval: true, workerData: port });
  let counts;
  try {
    const count = (reading) => answersWhile(client, program.pid, reading);
    counts = await measureByTurns(ways, Number(repeats), count);
  } finally {
    await client.terminate();
    program.kill('SIGKILL');
    await program.exited;
  }
  for (const [way, own] of Object.entries(counts)) {
    const interval = ratioText(pairedRatio(own, counts.none));
    lines.push(`| ${way} | ${((median(own) / WINDOW_MS) * 1000).toFixed(0)} | ${interval} |`);
  }
  return lines;
}

async function answersWhile(client, pid, reading) {
  const directory = mkdtempSync('/dev/shm/bench-compare-');
  const common = { imagesDirectory: `${directory}/images`, tracking: 'compare', durable: false };
  const iteration =
    reading && (await criu.iterate(pid, { ...common, tcpEstablished: true, ...reading }));
  await iteration?.preDump();
  let isOver = false;
  const rounds = (async () => {
    while (iteration && !isOver) await iteration.preDump();
  })();
  const before = await answers(client);
  await sleep(WINDOW_MS);
  const count = (await answers(client)) - before;
  isOver = true;
  await rounds;
  await iteration?.close();
  rmSync(directory, { recursive: true });
  return count;
}

async function answers(client) {
  client.postMessage('answers');
  return (await once(client, 'message'))[0];
}

/** The longest gap of migrations over a link, and what is sent while the program is frozen. */
async function overLink() {
  const head = [
    'Server',
    'Mode',
    'Longest gap',
    "of stop-and-copy's",
    'Sent while frozen',
    'of the pages',
  ];
  const lines = [`| ${head.join(' | ')} |`, '| --- | --- | --- | --- | --- | --- |'];
  for (const [workload, scene] of [
    ['idle', {}],
    ['hot set of 32 MiB', { hot: 32, rate: 8000 }],
  ]) {
    let base;
    for (const mode of ['stop-and-copy', 'pre-copy', 'pre-copy, full restore']) {
      const { gapMs, frozenBytes, pageBytes } = await moveOverLink(mode, scene);
      base ??= gapMs;
      const cells = [`${MOVED_MIB} MiB, ${workload}`, mode, `${gapMs.toFixed(0)} ms`];
      cells.push((gapMs / base).toFixed(2), `${(frozenBytes / 2 ** 20).toFixed(1)} MiB`);
      cells.push((frozenBytes / pageBytes).toFixed(2));
      lines.push(`| ${cells.join(' | ')} |`);
      console.error(lines.at(-1));
    }
  }
  return lines;
}

async function moveOverLink(name, server) {
  const [mode, restore] = name.split(', ');
  const lab = await Lab.start({ parent: '/dev/shm' });
  try {
    for (const host of [lab.a, lab.b]) {
      await host.run('tc', ['qdisc', 'add', 'dev', 'eth0', 'root', ...LINK]);
    }
    const scene = await startScene(lab, { heap: MOVED_MIB, ...server });
    const policy = { maxDowntimeMs: 50, maxRounds: 5 };
    const options = { mode, ...(restore && { lazyRestore: false }), policy, stallMs: 120_000 };
    const { events } = await migrateIt(lab, scene, options);
    await scene.client.answersOn();
    const { longestGapMs, faults, connections } = await scene.client.ask('stop');
    if (faults.length > 0 || connections !== 1) throw new Error(JSON.stringify(faults));
    const sentAt = (phase) => events.find((event) => event.phase === phase).bytes;
    const frozenBytes = sentAt('switch-over') - sentAt('dump');
    return { gapMs: longestGapMs, frozenBytes, pageBytes: sentAt('images') - sentAt('dump') };
  } finally {
    await lab.close();
  }
}
