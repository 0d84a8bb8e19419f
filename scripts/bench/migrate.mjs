// Measures migrations between the two hosts of the laboratory, as the client of the server sees them:
// our modes beside the script by hand, by turns, all with their images on a tmpfs: the script shares a tmpfs
// of both hosts, or sends the images, as one does between hosts; and how fast memory goes over beside
// CRIU's own page server. Where the kernel tracks changed memory it measures the modes with
// rounds by soft-dirty tracking, and go-criu's phaul, beside stop-and-copy instead. Prints the tables, and with
// --write-docs puts them into docs/performance.md and the README.
//
// usage: npm run bench:migrate [-- REPEATS [MIB…]], npm run bench:migrate:rounds [-- REPEATS [MIB…]]
import { join } from 'node:path';
import { Criu } from '../../dist/index.js';
import { Lab } from '../../test/lab/hosts.mjs';
import { DUMP, migrateIt, startScene } from '../../test/lab/migration.mjs';
import { migrateByHand, migrateByPhaul, startSshServer } from '../../test/lab/programs.mjs';
import { criuPath } from '../criu-path.mjs';
import { document, positionals } from './document.mjs';

const { memTrack } = await new Criu({ path: criuPath() }).features();
const [repeats = memTrack ? '1' : '3', ...given] = positionals;
const sizes = given.length > 0 ? given.map(Number) : [64, 256];

/** By name, what the server does besides answering. */
const workloads = {
  idle: {},
  'hot set': { hot: 4, rate: 1000 },
  'heavy writer': { hot: 32, rate: 'max' },
};

/** By hand, with all that moves sent from host to host. */
const OVER_SSH = 'by hand, page server and ssh';

const modes = memTrack
  ? ['stop-and-copy', 'pre-copy', 'hybrid', 'phaul']
  : [
      ...['by hand, shared tmpfs', OVER_SSH],
      ...['stop-and-copy', 'stop-and-copy, full restore', 'post-copy'],
      ...['pre-copy', 'pre-copy, full restore', 'hybrid'],
    ];

/** Those in the README. */
const summary = [
  ...['by hand, shared tmpfs', OVER_SSH],
  ...['stop-and-copy', 'pre-copy', 'post-copy'],
];

const mark = memTrack ? 'bench:migrate:rounds' : 'bench:migrate';

/** How a mode that is not ours moves the server; resolves with how many bytes went over, if that is known. */
const others = {
  'by hand, shared tmpfs': byHand,
  [OVER_SSH]: byHand,
  phaul: byPhaul,
};

const runs = [];
for (let repeat = 0; repeat < Number(repeats); repeat++) {
  for (const mib of sizes) {
    for (const workload of Object.keys(workloads)) {
      // What is compared is measured side by side.
      for (const mode of modes) {
        const run = await measure(mib, workload, mode);
        runs.push({ mib, workload, mode, ...run });
        // It may take an hour, and be ended before.
        document('docs/performance.md', mark, table());
        console.error(
          `${mib} MiB, ${workload}, ${mode}: ${run.gapMs.toFixed(0)} ms of ${run.totalMs.toFixed(0)} ms`,
        );
      }
    }
  }
}
const transfers = [];
for (let repeat = 0; repeat < Number(repeats) && !memTrack; repeat++) {
  transfers.push({ plain: await pageServer(), ours: await tunnel() });
}
if (!memTrack) {
  document('docs/performance.md', 'bench:pages', transferTable());
  document('README.md', 'bench:migrate:readme', table([Math.max(...sizes)], ['idle'], summary));
}
console.log(table());

/** Moves a server once; how long its client waited at most, and how long it all took. */
async function measure(mib, workload, mode) {
  const lab = await Lab.start({ parent: '/dev/shm' });
  try {
    const scene = await startScene(lab, { heap: mib, ...workloads[workload], patient: memTrack });
    const way = mode === OVER_SSH ? await startSshServer(lab, lab.b) : [];
    const start = performance.now();
    const moved = await (others[mode] ?? ours)(lab, scene, mode, way);
    const totalMs = performance.now() - start;
    await scene.client.answersOn();
    const { longestGapMs, faults, connections } = await scene.client.ask('stop');
    if (faults.length > 0 || connections !== 1) throw new Error(JSON.stringify(faults));
    return { gapMs: longestGapMs, totalMs, ...moved };
  } finally {
    await lab.close();
  }
}

async function byHand(lab, { pid }, _mode, way) {
  await migrateByHand(lab, pid, lab.a, lab.b, way);
}

async function byPhaul(lab, { pid }) {
  return { bytes: await migrateByPhaul(lab, pid, lab.a, lab.b) };
}

/** Also resolves with the processor time of both agents, without that of criu. */
async function ours(lab, scene, name) {
  const [mode, restore] = name.split(', ');
  const policy = { maxDowntimeMs: 50, maxRounds: 5 };
  const limits = { stallMs: 120_000, policy };
  const options = { mode, ...(restore && { lazyRestore: false }), ...limits };
  const before = await processorTime(scene);
  const { bytes } = (await migrateIt(lab, scene, options)).result;
  return { bytes, cpuMs: (await processorTime(scene)) - before };
}

async function processorTime({ here, there }) {
  const times = await Promise.all([here, there].map((agent) => agent.ask('processorTime')));
  return times[0] + times[1];
}

/** How fast a dump goes to CRIU's own page server on the other host, over plain TCP, in MiB a second. */
async function pageServer() {
  const lab = await Lab.start({ parent: '/dev/shm' });
  try {
    const { here, there, pid } = await startScene(lab, { heap: Math.max(...sizes) });
    const port = await there.ask('pageServer', {
      imagesDirectory: join(lab.directory, 'there'),
      pageServer: { address: lab.b.address, port: 0 },
    });
    const { durationMs, stats } = await here.ask('dump', {
      ...{ pid, ...DUMP, imagesDirectory: join(lab.directory, 'here') },
      pageServer: { address: lab.b.address, port },
    });
    return (stats.bytesWritten / 2 ** 20 / durationMs) * 1000;
  } finally {
    await lab.close();
  }
}

/** The same of the dump of a migration, from its beginning to the first of the other images. */
async function tunnel() {
  const lab = await Lab.start({ parent: '/dev/shm' });
  try {
    const scene = await startScene(lab, { heap: Math.max(...sizes) });
    const { result } = await migrateIt(lab, scene, { mode: 'stop-and-copy' });
    return (result.bytes / 2 ** 20 / result.phases.dump) * 1000;
  } finally {
    await lab.close();
  }
}

function transferTable() {
  const [plain, ours] = ['plain', 'ours'].map((name) => median(transfers.map((run) => run[name])));
  const cells = (way, speed) =>
    `| ${way} | ${speed.toFixed(0)} MiB/s | ${(speed / plain).toFixed(2)} |`;
  return [
    '| Memory of a dump goes over | Speed | Ratio |',
    '| --- | --- | --- |',
    cells("by CRIU's own page server, plain TCP", plain),
    cells('in a migration, TLS', ours),
  ].join('\n');
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function table(ofSizes = sizes, ofWorkloads = Object.keys(workloads), ofModes = modes) {
  const first = modes[0];
  const rows = ofSizes.flatMap((mib) =>
    ofWorkloads.flatMap((workload) =>
      ofModes.flatMap((mode) => {
        const of = (name) =>
          runs.filter((run) => run.mib === mib && run.workload === workload && run.mode === name);
        if (of(mode).length === 0) return [];
        const value = (name, key) => median(of(name).map((run) => run[key]));
        const ratio = (value(mode, 'gapMs') / value(first, 'gapMs')).toFixed(2);
        const bytes =
          of(mode)[0].bytes === undefined
            ? ''
            : `${(value(mode, 'bytes') / 2 ** 20).toFixed(0)} MiB`;
        const cpu =
          of(mode)[0].cpuMs === undefined
            ? ''
            : `${((value(mode, 'cpuMs') * 2 ** 20) / value(mode, 'bytes')).toFixed(1)} ms/MiB`;
        const ms = (key) => `${value(mode, key).toFixed(0)} ms`;
        return `| ${mib} MiB, ${workload} | ${mode} | ${ms('gapMs')} | ${ratio} | ${ms('totalMs')} | ${bytes} | ${cpu} |`;
      }),
    ),
  );
  return [
    `| Server | Mode | Longest gap | of ${first}'s | In all | Sent | CPU of both agents |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
