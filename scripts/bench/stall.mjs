// Measures how long dumps and restores stall the event loop of the caller, if the images are in a file system that
// does not answer for a while: a FUSE file system whose server is stopped at another moment in each round. Prints
// a table, and with --write-docs puts it into docs/performance.md. npm run bench:stall, which takes a
// factor for the number of rounds: npm run bench:stall -- 0.2
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnCheckpointable } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { Client } from './client.mjs';
import { document, positionals } from './document.mjs';
import { quantile } from './statistics.mjs';

const FUSE = 0x65735546;
const STOPPED_MS = 300;
const rounds = Math.max(4, Math.round(40 * Number(positionals[0] ?? 1)));
const root = new URL('../../', import.meta.url).pathname;
const directory = mkdtempSync('/dev/shm/node-criu-stall-');
const [local, remote] = [`${directory}/local`, `${directory}/remote`];
mkdirSync(local);
mkdirSync(remote);
const server = spawn('bindfs', ['-f', local, remote], { stdio: 'inherit' });
while (statfsSync(remote).type !== FUSE) await sleep(5);
const path = criuPath();
const client = new Client('node-criu', [
  process.execPath,
  `${root}scripts/bench/peers/node-criu.mjs`,
  path,
]);

const rows = {
  idle: [],
  dump: [],
  restore: [],
  'dump, server stopped': [],
  'restore, server stopped': [],
};
const took = { dump: [], restore: [] };
for (let round = 0; round <= rounds; round++) {
  for (const stops of [false, true]) await dumpAndRestore(round, stops);
  const idle = await stallOf(() => sleep(STOPPED_MS));
  if (round > 0) rows.idle.push(idle);
}
await client.close();
server.kill('SIGTERM');
await once(server, 'exit');
rmSync(directory, { recursive: true });
report();

/** In the first round nothing is kept, and it shows how long an operation takes. */
async function dumpAndRestore(round, stops) {
  const program = await spawnCheckpointable(`${root}.cache/fixtures/fill`, ['1']);
  const name = `images-${round}-${stops}`;
  mkdirSync(`${local}/${name}`);
  const requests = {
    dump: ['dump', program.pid, `${remote}/${name}`, 1],
    restore: ['restore', `${remote}/${name}`],
  };
  for (const [operation, request] of Object.entries(requests)) {
    const stall = await stallOf(async () => {
      const done = client.ask(...request);
      if (stops && round > 0) await stopServer((took[operation][0] * round) / rounds);
      const ms = await done;
      if (!stops) took[operation].push(ms);
    });
    if (round > 0) rows[stops ? `${operation}, server stopped` : operation].push(stall);
    if (operation === 'dump') await program.exited;
  }
  process.kill(program.pid, 'SIGKILL');
  rmSync(`${local}/${name}`, { recursive: true });
}

async function stopServer(afterMs) {
  await sleep(afterMs);
  server.kill('SIGSTOP');
  await sleep(STOPPED_MS);
  server.kill('SIGCONT');
}

/** The longest stall meanwhile, in ms. */
async function stallOf(work) {
  await client.ask('stall');
  await work();
  return await client.ask('stall');
}

function report() {
  const ms = (value) => value.toFixed(1);
  const lines = Object.entries(rows).map(
    ([name, stalls]) =>
      `| ${name} | ${stalls.length} | ${ms(quantile(stalls, 0.5))} | ${ms(Math.max(...stalls))} |`,
  );
  const head = ['| longest stall, ms | Rounds | median | maximum |', '|---|---|---|---|'];
  const table = [...head, ...lines].join('\n');
  document('docs/performance.md', 'bench:stall', table);
  console.log(table);
}
