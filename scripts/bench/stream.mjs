// Measures dumps of 256 MiB into streams that are read and dropped, beside dumps to a tmpfs, in turns, by the same criu.
// The process runs on. Prints a table, and with --write-docs puts it into docs/performance.md.
//
// usage: npm run bench:stream [-- REPEATS]
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { Criu, spawnCheckpointable } from '../../dist/index.js';
import { streamingCriuPath } from '../criu-path.mjs';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const MIB = 256;
const [repeats = '15'] = positionals;
const root = new URL('../../', import.meta.url).pathname;
const path = streamingCriuPath();
const criu = new Criu({ path });
const encryption = { key: randomBytes(32) };
const program = await spawnCheckpointable(`${root}.cache/fixtures/fill`, [String(MIB)]);
const { pid } = program;

const BASE = 'to a tmpfs';
const ways = {
  [BASE]: (imagesDirectory) =>
    criu.dump(pid, { imagesDirectory, leaveRunning: true, durable: false }),
  "to a tmpfs, criu's command": (directory) =>
    promisify(execFile)(path, ['dump', '-t', String(pid), '-D', directory, '-R', '-o', 'log']),
  'into a stream': () => read({}),
  'into a stream, encrypted': () => read({ encryption }),
};

const values = await measureByTurns(ways, Number(repeats), async (way) => {
  const directory = mkdtempSync('/dev/shm/node-criu-stream-bench-');
  const start = performance.now();
  await way(directory);
  const took = performance.now() - start;
  rmSync(directory, { recursive: true });
  return took;
});
program.kill('SIGKILL');
await criu.close();

const rows = Object.entries(values).map(([name, times]) => {
  const range = name === BASE ? '1' : ratioText(pairedRatio(times, values[BASE]));
  return `| ${name} | ${Math.round(median(times))} ms | ${range} |`;
});
const table = [
  `| Dump of ${MIB} MiB | Time | Compared with a tmpfs |`,
  '| --- | --- | --- |',
  ...rows,
].join('\n');
console.log(table);
document('docs/performance.md', 'bench:stream', table);

async function read(options) {
  const stream = await criu.dumpStream(pid, { leaveRunning: true, ...options });
  for await (const _chunk of stream);
  await stream.result;
}
