// Measures what the manifest costs a dump of 256 MiB, and a restore that takes its options from it, in turns with
// those without one. The memory and the images are in memory. Prints a table, and with --write-docs puts it into
// docs/performance.md.
//
// usage: npm run bench:manifest [-- REPEATS]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Criu, spawnCheckpointable, verifyImages } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const MIB = 256;
const [repeats = '15'] = positionals;
const root = new URL('../../', import.meta.url).pathname;
const criu = new Criu({ path: criuPath() });

const kinds = {
  'dump that leaves the processes running: time': async (manifest) =>
    (await withDump({ manifest, leaveRunning: true }))[0],
  'dump that leaves the processes running: frozen': async (manifest) =>
    (await withDump({ manifest, leaveRunning: true }))[1],
  'dump that ends the processes': async (manifest) => (await withDump({ manifest }))[0],
  'dump that ends the processes, to the disk': async (manifest) =>
    (await withDump({ manifest, durable: true }, '/var/tmp'))[0],
  restore: async (manifest) => (await withDump({}, '/dev/shm', manifest))[2],
  'deep verification, beside one that is not': async (deep) =>
    (await withDump({ leaveRunning: true }, '/dev/shm', true, deep))[3],
};

const rows = [];
for (const [kind, measure] of Object.entries(kinds)) {
  const ways = { without: () => measure(false), with: () => measure(true) };
  const values = await measureByTurns(ways, Number(repeats), (way) => way());
  const times = ['without', 'with'].map((name) => `${median(values[name]).toFixed(0)} ms`);
  rows.push(
    `| ${kind} | ${times.join(' | ')} | ${ratioText(pairedRatio(values.with, values.without))} |`,
  );
}
await criu.close();

const table = [
  `| ${MIB} MiB | Without a manifest | With one | Ratio |`,
  '| --- | --- | --- | --- |',
  ...rows,
].join('\n');
console.log(table);
document('docs/performance.md', 'bench:manifest', table);

/** Times of a dump, of its freeze, of a restore and of a verification, in milliseconds. */
async function withDump(options, base = '/dev/shm', manifest = true, deep = false) {
  const program = await spawnCheckpointable(`${root}.cache/fixtures/fill`, [String(MIB)]);
  while (residentMiB(program.pid) < MIB) await sleep(10);
  const imagesDirectory = mkdtempSync(`${base}/node-criu-manifest-bench-`);
  const times = [];
  let start = performance.now();
  const lap = () => {
    times.push(performance.now() - start);
    start = performance.now();
  };
  const { stats } = await criu.dump(program.pid, { durable: false, imagesDirectory, ...options });
  lap();
  times.push(stats.frozenTimeMs);
  if (options.leaveRunning) {
    program.kill('SIGKILL');
    await program.exited;
    times.push(0);
  } else {
    start = performance.now();
    const restored = await criu.restore({ imagesDirectory, manifest });
    lap();
    restored.kill('SIGKILL');
    await restored.exited;
  }
  start = performance.now();
  await verifyImages(imagesDirectory, { deep });
  lap();
  rmSync(imagesDirectory, { recursive: true });
  return times;
}

function residentMiB(pid) {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
  return (Number(pages) * 4096) / 2 ** 20;
}
