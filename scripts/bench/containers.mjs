// Measures the dump and the restore of a container with 64 MiB of memory, in turns: by runc's commands, and by
// node-criu, which restores by runc or without a runtime. Images and root file system are in memory, and all use the same
// criu. Prints a table, and with --write-docs puts it into docs/performance.md.
//
// usage: npm run bench:containers [-- REPEATS]
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openContainer, restoreContainer } from '../../dist/containers.js';
import { Criu } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { writeBundle } from './bundle.mjs';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const MIB = 64;
const ID = 'bench';
const [repeats = '15'] = positionals;
const program = new URL('../../.cache/fixtures/fill', import.meta.url).pathname;
const directory = mkdtempSync('/dev/shm/node-criu-containers-bench-');
const root = join(directory, 'runc');
const bundle = join(directory, 'bundle');
const images = join(directory, 'images');
const criu = new Criu({ path: criuPath() });
const nowhere = openSync('/dev/null', 'r+');
const runc = (...args) =>
  execFileSync('runc', ['--root', root, ...args], {
    stdio: [nowhere, nowhere, nowhere],
    env: { ...process.env, PATH: `${dirname(criuPath())}:${process.env.PATH}` },
  });
writeBundle(bundle, program, ['/bin/fill', String(MIB)]);

const byRunc = ['--image-path', images, '--work-path', images];
const ways = {
  dump: {
    runc: () => runc('checkpoint', ...byRunc, ID),
    'node-criu': async () => {
      const container = await openContainer(criu, ID, { root });
      await container.dump({ imagesDirectory: images, durable: false });
    },
  },
  restore: {
    runc: () => runc('restore', '--detach', '--bundle', bundle, ...byRunc, ID),
    'node-criu, by runc': () => restore('runc'),
    'node-criu, without a runtime': () => restore(false),
  },
};

const rows = [];
for (const [what, each] of Object.entries(ways)) {
  const values = await measureByTurns(each, Number(repeats), (way) => measured(what, way));
  const { runc: own } = values;
  for (const [name, times] of Object.entries(values)) {
    const ratio = name === 'runc' ? '1' : ratioText(pairedRatio(times, own));
    rows.push(`| ${[what, name, `${median(times).toFixed(0)} ms`, ratio].join(' | ')} |`);
  }
}
await criu.close();
rmSync(directory, { recursive: true });

const heading = `| Container of ${MIB} MiB | By | Time | Compared with runc |`;
const table = [heading, '| --- | --- | --- | --- |', ...rows].join('\n');
console.log(table);
document('docs/performance.md', 'bench:containers', table);

/** Starts a container, and measures its dump; or dumps it as well, and measures the restore. In milliseconds. */
async function measured(what, way) {
  runc('run', '--detach', '--bundle', bundle, ID);
  const { pid } = await openContainer(criu, ID, { root });
  while (residentMiB(pid) < MIB) await sleep(10);
  mkdirSync(images, { mode: 0o700 });
  if (what === 'restore') await ways.dump['node-criu']();
  const start = performance.now();
  await way();
  const time = performance.now() - start;
  if (what === 'restore') runc('delete', '--force', ID);
  rmSync(images, { recursive: true });
  return time;
}

async function restore(runtime) {
  await restoreContainer(criu, { imagesDirectory: images, id: ID, bundle, root, runtime });
}

function residentMiB(pid) {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
  return (Number(pages) * 4096) / 2 ** 20;
}
