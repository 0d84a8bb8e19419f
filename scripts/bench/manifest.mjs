// Measures what the manifest costs dumps of 1 and 256 MiB, and a restore that takes its options from it, in turns with
// those without one. Memory and images are in memory, unless a row says otherwise. Prints a table, and with
// --write-docs puts it into
// docs/performance.md.
//
// usage: npm run bench:manifest [-- REPEATS]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Criu, spawnCheckpointable, verifyImages } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const SMALL = 1;
const LARGE = 256;
/** Small dumps are quick, and vary more. */
const SMALL_FACTOR = 4;
const [repeats = '15'] = positionals;
const root = new URL('../../', import.meta.url).pathname;
const criu = new Criu({ path: criuPath() });

const time = async (...how) => (await withDump(...how)).dump;
const running = { leaveRunning: true };
/** What is measured, with a manifest or without one. */
const kinds = [
  [
    SMALL,
    'dump that leaves the processes running',
    (manifest) => time(SMALL, { manifest, ...running }),
  ],
  [SMALL, 'dump that ends the processes', (manifest) => time(SMALL, { manifest })],
  [
    LARGE,
    'dump that leaves the processes running',
    (manifest) => time(LARGE, { manifest, ...running }),
  ],
  [
    LARGE,
    'the same: frozen',
    async (manifest) => (await withDump(LARGE, { manifest, ...running })).frozen,
  ],
  [LARGE, 'dump that ends the processes', (manifest) => time(LARGE, { manifest })],
  [
    ...[LARGE, 'dump that ends the processes, to the disk'],
    (manifest) => time(LARGE, { manifest, durable: true }, { base: '/var/tmp' }),
  ],
  [LARGE, 'restore', async (manifest) => (await withDump(LARGE, {}, { manifest })).restore],
  [
    ...[LARGE, 'deep verification, beside one that is not'],
    async (deep) => (await withDump(LARGE, running, { deep })).verification,
  ],
];

const rows = [];
for (const [mib, kind, measure] of kinds) {
  const ways = { without: () => measure(false), with: () => measure(true) };
  const turns = Number(repeats) * (mib === SMALL ? SMALL_FACTOR : 1);
  const values = await measureByTurns(ways, turns, (way) => way());
  const digits = mib === SMALL ? 1 : 0;
  const times = ['without', 'with'].map((name) => `${median(values[name]).toFixed(digits)} ms`);
  const ratio = ratioText(pairedRatio(values.with, values.without));
  rows.push(`| ${[`${mib} MiB`, kind, ...times, ratio].join(' | ')} |`);
}
await criu.close();

const table = [
  '| Memory | What | Without a manifest | With one | Ratio |',
  '| --- | --- | --- | --- | --- |',
  ...rows,
].join('\n');
console.log(table);
document('docs/performance.md', 'bench:manifest', table);

/** Times of a dump, of its freeze, of a restore and of a verification, in milliseconds. */
async function withDump(mib, options, { base = '/dev/shm', manifest = true, deep = false } = {}) {
  const program = await spawnCheckpointable(`${root}.cache/fixtures/fill`, [String(mib)]);
  while (residentMiB(program.pid) < mib) await sleep(10);
  const imagesDirectory = mkdtempSync(`${base}/node-criu-manifest-bench-`);
  const times = {};
  const timed = async (name, work) => {
    const start = performance.now();
    const result = await work;
    times[name] = performance.now() - start;
    return result;
  };
  const given = { durable: false, imagesDirectory, ...options };
  const { stats } = await timed('dump', criu.dump(program.pid, given));
  times.frozen = stats.frozenTimeMs;
  if (options.leaveRunning) {
    program.kill('SIGKILL');
    await program.exited;
  } else {
    const restored = await timed('restore', criu.restore({ imagesDirectory, manifest }));
    restored.kill('SIGKILL');
    await restored.exited;
  }
  await timed('verification', verifyImages(imagesDirectory, { deep }));
  rmSync(imagesDirectory, { recursive: true });
  return times;
}

function residentMiB(pid) {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
  return (Number(pages) * 4096) / 2 ** 20;
}
