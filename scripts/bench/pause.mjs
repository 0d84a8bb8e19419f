// Measures how long a checkpoint that leaves the processes running stops them: a plain dump to a tmpfs, beside the
// dump of an iteration that compares memory, after one round, with hashes and with a copy. The program itself
// measures the longest time in which it did not run. Prints the table, and with --write-docs puts it into
// docs/iterative-dumps.md.
//
// usage: npm run bench:pause [-- REPEATS [MIB…]]
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Criu, spawnCheckpointable } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const [repeats = '7', ...given] = positionals;
const sizes = given.length > 0 ? given.map(Number) : [256, 1024];
/** How long a program runs between a round and the dump. */
const BETWEEN_MS = 500;

/** Answers with the longest gap between two of its ticks since the last request, in milliseconds. */
const server = `
  const [mib, hot, port] = process.argv.slice(1).map(Number);
  const crypto = require('crypto');
  const kept = Array.from({ length: mib }, () => crypto.randomBytes(1 << 20));
  let [last, longest, page] = [performance.now(), 0, 0];
  setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    for (let n = 0; n < 64 && hot > 0; n++, page++) {
      const at = page % (hot * 256);
      kept[at >> 8].writeUInt32LE(page, (at & 255) * 4096);
    }
  }, 1);
  require('http').createServer((request, response) => {
    response.setHeader('connection', 'close').end(String(longest));
    longest = 0;
  }).listen(port, '127.0.0.1');`;

/** By name, the MiB that the program rewrites all the time. */
const workloads = { idle: 0, 'hot set of 32 MiB': 32 };

/** By name, how a checkpoint is made in a directory. */
const ways = {
  'plain dump': plain,
  'compared with hashes': (criu, pid, options, longest) =>
    inRounds(criu, pid, options, 'hashes', longest),
  'compared with a copy': (criu, pid, options, longest) =>
    inRounds(criu, pid, options, 'copy', longest),
};

const criu = new Criu({ path: criuPath() });
const lines = [];
for (const mib of sizes) {
  for (const [workload, hot] of Object.entries(workloads)) {
    const pauses = await measure(mib, hot);
    const base = pauses['plain dump'];
    for (const [way, own] of Object.entries(pauses)) {
      const interval = ratioText(pairedRatio(own, base));
      lines.push(`| ${mib} MiB, ${workload} | ${way} | ${median(own).toFixed(0)} | ${interval} |`);
      console.error(lines.at(-1));
    }
  }
}
await criu.close();
const table = [
  '| Program | Checkpoint | Pause in ms | of a plain dump |',
  '| --- | --- | --- | --- |',
  ...lines,
];
document('docs/iterative-dumps.md', 'bench:pause', table.join('\n'));
console.log(table.join('\n'));

/** Makes checkpoints of a program in all ways by turns; returns the pauses that it has seen. */
async function measure(mib, hot) {
  const port = await freePort();
  const args = ['-e', server, mib, hot, port].map(String);
  const program = await spawnCheckpointable(process.execPath, args);
  await program.listening(port);
  try {
    const pause = (checkpoint) => pauseOf(checkpoint, program.pid, port);
    return await measureByTurns(ways, Number(repeats), pause);
  } finally {
    program.kill('SIGKILL');
    await program.exited;
  }
}

async function pauseOf(checkpoint, pid, port) {
  const directory = mkdtempSync('/dev/shm/bench-pause-');
  const longest = async () => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text());
  try {
    const options = { imagesDirectory: `${directory}/images`, leaveRunning: true, durable: false };
    await checkpoint(criu, pid, options, longest);
    return await longest();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function plain(criu, pid, options, longest) {
  await sleep(BETWEEN_MS);
  await longest();
  await criu.dump(pid, options);
}

async function inRounds(criu, pid, options, compareWith, longest) {
  const tracking = { tracking: 'compare', compareWith };
  const iteration = await criu.iterate(pid, { ...options, ...tracking });
  await iteration.preDump();
  await sleep(BETWEEN_MS);
  await longest();
  await iteration.dump();
}

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
