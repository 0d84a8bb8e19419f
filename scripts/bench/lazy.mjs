// Measures how soon a restored server answers, with its memory fetched lazily and in full; prints a
// table, and with --write-docs puts it into docs/lazy-pages.md. npm run bench:lazy.
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Criu, spawnCheckpointable } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { document } from './document.mjs';

const SIZES_MIB = [64, 256, 1024];
const REPEATS = 7;
/** Holds so many MiB that are not all the same, and answers with one byte of each. */
const program = `const kept = Array.from({ length: Number(process.argv[1]) }, (_, n) =>
    require('crypto').randomFillSync(Buffer.alloc(1 << 20), 0, 4096 * (1 + (n % 255))));
  require('http').createServer((q, r) => r.end(String(kept.length)))
    .listen(0, '127.0.0.1', function () { require('fs').writeFileSync(process.argv[2], String(this.address().port)); });`;

const criu = new Criu({ path: criuPath() });
const results = [];
for (const mib of SIZES_MIB) results.push({ mib, ...(await measure(mib)) });
document('docs/lazy-pages.md', 'bench:lazy', table());
console.log(table());

/** Dumps a server of that size, and restores it in both ways by turns. */
async function measure(mib) {
  // On a tmpfs, as far as there is one: it is not the disk that is measured.
  const directory = mkdtempSync('/dev/shm/bench-');
  const [imagesDirectory, told] = [join(directory, 'images'), join(directory, 'port')];
  const args = ['--no-wasm-memory-protection-keys', '-e', program, String(mib), told];
  try {
    const server = await spawnCheckpointable(process.execPath, args);
    const port = await portIn(told);
    await criu.dump(server.pid, { imagesDirectory });
    await server.exited;
    const runs = { lazy: [], full: [] };
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      runs.full.push(await measured(port, () => fully(imagesDirectory)));
      runs.lazy.push(await measured(port, () => lazily(imagesDirectory)));
    }
    const answers = {
      lazy: runs.lazy.map(({ answer }) => answer),
      full: runs.full.map(({ answer }) => answer),
    };
    const total = { lazy: runs.lazy.map(({ all }) => all), full: runs.full.map(({ all }) => all) };
    return { answer: medians(answers), total: medians(total) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function fully(imagesDirectory) {
  return { restored: await criu.restore({ imagesDirectory, asChild: true }) };
}

async function lazily(imagesDirectory) {
  return await criu.lazyRestore({ imagesDirectory, asChild: true });
}

/** How long it takes to the first answer and to the last page, in ms; ends the server then. */
async function measured(port, restore) {
  const start = performance.now();
  const restoring = restore();
  const answered = firstAnswer(port).then(() => performance.now() - start);
  const { restored, pagesDone } = await restoring;
  const done = Promise.resolve(pagesDone).then(() => performance.now() - start);
  const [answer, all] = await Promise.all([answered, done]);
  restored.kill('SIGKILL');
  await restored.exited;
  return { answer, all };
}

async function firstAnswer(port) {
  for (;;) {
    const answer = await new Promise((resolve) => {
      get({ host: '127.0.0.1', port, agent: false }, (response) => {
        response.resume().once('end', () => resolve(true));
      }).once('error', () => resolve(false));
    });
    if (answer) return;
    await sleep(1);
  }
}

async function portIn(file) {
  for (;;) {
    const port = Number(await readFile(file, 'utf8').catch(() => ''));
    if (port > 0) return port;
    await sleep(20);
  }
}

function medians({ lazy, full }) {
  return { lazy: median(lazy), full: median(full) };
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function table() {
  const ms = (value) => `${value.toFixed(0)} ms`;
  const ratio = ({ lazy, full }) => (lazy / full).toFixed(2);
  const rows = results.map(
    ({ mib, answer, total }) =>
      `| ${mib} MiB | ${ms(answer.full)} | ${ms(answer.lazy)} | ${ratio(answer)} | ${ms(total.full)} | ${ms(total.lazy)} |`,
  );
  return [
    '| Memory | First answer, full | First answer, lazy | Ratio | All there, full | All there, lazy |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
