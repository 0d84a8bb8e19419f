// Compares how long node-criu, Debian's crit and go-crit take to show an image of 100,000 open files as JSON: whole
// programs, in turns, each with its start. Prints a table, and with --write-docs puts it into docs/performance.md.
// npm run bench:images, which takes a factor for the number of rounds: npm run bench:images -- 0.2
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { decodeImage, encodeImage } from '../../dist/images.js';
import { document, positionals } from './document.mjs';
import { median, pairedRatio, ratioText } from './statistics.mjs';

const ENTRIES = 100_000;
const rounds = Math.max(3, Math.round(10 * Number(positionals[0] ?? 1)));
const root = new URL('../../', import.meta.url).pathname;
const directory = mkdtempSync('/dev/shm/node-criu-images-');
const image = `${directory}/files.img`;
const json = `${directory}/files.json`;

const programs = {
  'node-criu decode': [
    process.execPath,
    `${root}dist/cli/main.js`,
    'decode',
    '--json',
    image,
    '-o',
    json,
  ],
  'go-crit': [`${root}.cache/bench/peers/go-crit`, image, json],
  crit: [`${root}.cache/crit/python`, '-m', 'crit', 'decode', '-i', image, '-o', json],
};

await encodeImage(image, 'FILES', entries());
const times = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
const inProcess = [];
for (let round = 0; round <= rounds; round++) {
  for (const [name, [file, ...args]] of Object.entries(programs)) {
    const took = await timed(() => execFileSync(file, args));
    if (round > 0) times[name].push(took);
  }
  const took = await timed(countEntries);
  if (round > 0) inProcess.push(took);
}
rmSync(directory, { recursive: true });

const ours = times['node-criu decode'];
const rows = Object.entries(times).map(([name, values]) => {
  const range = ratioText(pairedRatio(values, ours));
  return `| ${name} | ${Math.round(median(values))} ms | ${values === ours ? '1' : range} |`;
});
const table = [
  '| Program | Time | Compared with node-criu |',
  '| --- | --- | --- |',
  ...rows,
  `| \`decodeImage\` in a program that runs | ${Math.round(median(inProcess))} ms | |`,
].join('\n');
console.log(table);
document('docs/performance.md', 'bench:images', table);

function* entries() {
  const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
  for (let id = 1; id <= ENTRIES; id++) {
    const name = `/var/lib/app/data/${id % 512}/segment-${id}.log`;
    const properties = { size: BigInt(id * 37), mnt_id: 31, mode: 0o100644 };
    const reg = { id, flags: 0o100002, pos: BigInt(id), fown, name, ...properties };
    yield { message: { type: 'REG', id, reg } };
  }
}

async function countEntries() {
  let count = 0;
  for await (const { message } of decodeImage(image, { kind: 'FILES' }))
    count += message.id ? 1 : 0;
  if (count !== ENTRIES) throw new Error(`${count} entries`);
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
