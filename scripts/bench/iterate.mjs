// Measures iterative dumps against a dump at once, by several rules for the end of the rounds, on
// three workloads; prints a table, and with --write-docs puts it into docs/iterative-dumps.md and redraws
// docs/iterate.svg. Runs where memory is tracked: npm run bench:iterate.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Criu, preCopy } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { document, writesDocs } from './document.mjs';
import { fixedRounds, phaulAsDesigned, phaulAsItBehaves } from './rules.mjs';

const REPEATS = 3;
const root = new URL('../../', import.meta.url);
const memory = new URL('.cache/fixtures/memory', root).pathname;
const server = `const kept = Array.from({ length: 128 }, (_, n) => Buffer.alloc(1 << 20, n + 1));
  require('http').createServer((q, r) => r.end(String(kept.length))).listen(0, () => console.log('ready'));`;

/** By name, the command and the file for what it counts; each says 'ready' when it is. */
const workloads = {
  'idle Node server': () => [process.execPath, '-e', server],
  'hot set': (file) => [memory, file, '128', '4', '20000'],
  'writer faster than the copy': (file) => [memory, file, '64', '64', 'max'],
};

/** By name, the policy of the rounds; without one there are none. */
const rules = {
  'dump at once': undefined,
  preCopy: { maxDowntimeMs: 0 },
  'phaul, as designed': phaulAsDesigned,
  'phaul, as it behaves': phaulAsItBehaves,
  '3 rounds': fixedRounds(3),
};

const criu = new Criu({ path: criuPath() });
const runs = [];
for (let repeat = 0; repeat < REPEATS; repeat++) {
  for (const [workload, command] of Object.entries(workloads)) {
    // What is compared is measured side by side.
    for (const [rule, policy] of Object.entries(rules)) {
      const run = await measure(command, policy);
      runs.push({ workload, rule, ...run });
      console.error(
        `${workload}, ${rule}: ${run.rounds.map(({ bytes }) => bytes >> 20)} MiB, ${run.frozenMs} ms`,
      );
    }
  }
}
await criu.close();

const results = Object.keys(workloads).map((workload) => ({
  workload,
  rows: Object.keys(rules).map((rule) => medianRun(workload, rule)),
}));
if (writesDocs) (await import('../pictures/draw.mjs')).record('iterate', numbers());
document('docs/iterative-dumps.md', 'bench:iterate', table());
console.log(table());

/** Starts a workload, dumps it by the rule, and ends it. */
async function measure(command, policy) {
  const directory = mkdtempSync('/tmp/bench-');
  const said = `${directory}/said`;
  const out = openSync(said, 'a');
  const [file, ...args] = command(`${directory}/writes`);
  const child = spawn(file, args, { detached: true, stdio: ['ignore', out, out] });
  const ended = once(child, 'exit');
  try {
    while (!readFileSync(said, 'utf8').includes('ready')) await sleep(50);
    await sleep(500);
    const options = { imagesDirectory: `${directory}/images`, leaveRunning: true };
    const rounds = policy
      ? await inRounds(child.pid, options, policy)
      : [await criu.dump(child.pid, options)];
    return {
      rounds: rounds.map(({ stats }) => ({
        bytes: stats.bytesWritten,
        frozenMs: stats.frozenTimeMs,
      })),
      bytes: rounds.reduce((sum, { stats }) => sum + stats.bytesWritten, 0),
      frozenMs: rounds.at(-1).stats.frozenTimeMs,
    };
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true });
  }
}

async function inRounds(pid, options, policy) {
  const iteration = await criu.iterate(pid, options);
  const rounds = [];
  for await (const round of preCopy(iteration, policy)) rounds.push(round);
  return [...rounds, await iteration.dump()];
}

/** The run whose frozen time is in the middle. */
function medianRun(workload, rule) {
  const own = runs.filter((run) => run.workload === workload && run.rule === rule);
  return own.sort((a, b) => a.frozenMs - b.frozenMs)[Math.floor(own.length / 2)];
}

function table() {
  const lines = results.flatMap(({ workload, rows }) =>
    rows.map(({ rule, rounds, bytes, frozenMs }) => {
      const ratio = (value, of) => (value / of).toFixed(2);
      return `| ${workload} | ${rule} | ${rounds.length - 1} | ${ratio(bytes, rows[0].bytes)} | ${ratio(frozenMs, rows[0].frozenMs)} |`;
    }),
  );
  return [
    '| Workload | Rule | Rounds | Bytes in all | Frozen time |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** What the picture shows: a dump at once, and the rounds of preCopy. */
function numbers() {
  return results.map(({ workload, rows: [atOnce, inRounds] }) => ({
    workload,
    dumps: [
      { name: 'dump at once', ...atOnce.rounds[0] },
      ...inRounds.rounds.map((round, index) => ({
        name: index < inRounds.rounds.length - 1 ? `round ${index}` : 'dump',
        ...round,
      })),
    ].map(({ name, bytes, frozenMs }) => ({
      name,
      mib: Number((bytes / 2 ** 20).toFixed(1)),
      frozenMs: Math.round(frozenMs),
    })),
  }));
}
