// Starts a server that takes long to load, makes a template of it, and compares cold starts with copies by the time
// to the first answer. With --write-docs it redraws docs/copies.svg.
//
// usage: npm run demo:copies [-- --write-docs]
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Criu, CriuError, spawnCheckpointable, TemplatePool } from 'node-criu';
import { criuPath } from '../criu-path.mjs';

const TIMES = 5;
const PORT = 18_088;
const server = fileURLToPath(new URL('heavy-server.mjs', import.meta.url));
// Node 20 needs it on processors with protection keys.
const isNode20 = process.versions.node.startsWith('20.');
const args = [...(isNode20 ? ['--no-wasm-memory-protection-keys'] : []), server, String(PORT)];
const directory = await mkdtemp(join(tmpdir(), 'node-criu-demo-'));
const publish = [{ to: PORT }];

try {
  await demo(new Criu({ path: criuPath(), kernelCache: true }));
} catch (error) {
  console.error(error instanceof CriuError ? `${error.message} (${error.code})` : error);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function demo(criu) {
  console.log('a server that draws charts; times to its first answer\n');
  const cold = await series('cold start', coldStart);
  const template = await criu.template(process.execPath, args, {
    imagesDirectory: join(directory, 'template'),
    ready: { url: `http://127.0.0.1:${PORT}/` },
  });
  const copies = await series('copy', () => firstAnswer(() => template.start({ publish })));
  const pool = new TemplatePool(template, { size: TIMES, publish });
  await pool.filled();
  const pooled = await series('copy from a pool', () => firstAnswer(() => pool.take()));
  await pool.close();

  console.log(`\na copy answers ${(median(cold) / median(copies)).toFixed(1)} times as fast,`);
  console.log(`one from a pool ${(median(cold) / median(pooled)).toFixed(1)} times`);
  if (process.argv.includes('--write-docs')) {
    const { record } = await import('../pictures/draw.mjs');
    const named = { 'cold start': cold, copy: copies, 'copy from a pool': pooled };
    const rows = Object.entries(named).flatMap(([what, times]) =>
      times.map((timeMs) => ({ what, timeMs })),
    );
    record('copies', rows);
  }
}

async function series(what, measure) {
  const times = [];
  for (let turn = 0; turn < TIMES; turn++) times.push(Math.round(await measure()));
  console.log(`${what.padEnd(20)}${times.map((time) => `${time} ms`.padStart(9)).join('')}`);
  return times;
}

async function coldStart() {
  const start = performance.now();
  const program = await spawnCheckpointable(process.execPath, args);
  await answerOf(PORT, true);
  const time = performance.now() - start;
  program.kill('SIGKILL');
  await program.exited;
  return time;
}

async function firstAnswer(startCopy) {
  const start = performance.now();
  const copy = await startCopy();
  await answerOf(copy.published[0].port, false);
  const time = performance.now() - start;
  await copy.close();
  return time;
}

/** Asks until there is an answer, if the server is still starting. */
async function answerOf(port, isStarting) {
  for (;;) {
    const answer = await request(port).catch((error) => error);
    if (answer === 200) return;
    if (!isStarting) throw new Error('the copy does not answer', { cause: answer });
    await sleep(1);
  }
}

function request(port) {
  return new Promise((resolve, reject) => {
    const sent = get({ port, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    sent.on('error', reject);
  });
}

function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}
