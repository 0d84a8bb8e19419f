// Compares how long node-criu and Debian's checkpointctl take to search 1 GiB of pages: whole programs, in turns, each
// with its start. checkpointctl takes a tar archive, of which it unpacks what it needs. Prints a table, and with
// --write-docs puts it into docs/performance.md.
// npm run bench:memory, which takes a factor for the number of rounds: npm run bench:memory -- 0.2
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { encodeImage } from '../../dist/images.js';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
const PID = 7;
const START = 0x7f0000000000n;
const NEEDLE = 'node-criu-needle';
/** Where the text is, at the border of pages too; checkpointctl misses it at multiples of 10 MiB. */
const PLACES = [100, 499 * MIB - 5, SIZE - 100];

const turns = Math.max(3, Math.round(10 * Number(positionals[0] ?? 1)));
const root = new URL('../../', import.meta.url).pathname;
const base = mkdtempSync('/dev/shm/node-criu-memory-');
const [directory, archive] = [`${base}/checkpoint`, `${base}/checkpoint.tar`];
const checkpointctl = `${root}.cache/bench/peers/checkpointctl`;
const ours = [process.execPath, `${root}dist/cli/main.js`, 'memory', directory];
const theirs = [checkpointctl, 'memparse', archive, '--pid', String(PID)];
const expression = 'node-criu-[a-z]+';

const ways = {
  'node-criu memory --search': [...ours, '--search', NEEDLE],
  'checkpointctl memparse --search': [...theirs, '--search', NEEDLE],
  'node-criu memory --search-regex': [...ours, '--search-regex', expression],
  'checkpointctl memparse --search-regex': [...theirs, '--search-regex', expression],
};

try {
  await writeImages();
  const times = await measureByTurns(ways, turns, search);
  const rows = Object.keys(ways).map((name) => {
    const own = `node-criu memory ${name.split(' ').at(-1)}`;
    const ratio = name === own ? '1' : ratioText(pairedRatio(times[name], times[own]));
    return `| \`${name}\` | ${Math.round(median(times[name]))} ms | ${ratio} |`;
  });
  const table = [
    '| Program | Time | Compared with node-criu |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
  console.log(table);
  document('docs/performance.md', 'bench:memory', table);
} finally {
  rmSync(base, { recursive: true });
}

function search([file, ...args]) {
  const start = performance.now();
  const text = execFileSync(file, args, { encoding: 'utf8' });
  const took = performance.now() - start;
  const found = text.split(NEEDLE).length - 1;
  if (found !== PLACES.length) throw new Error(`${file} found ${found} places`);
  return took;
}

/** Images of a process, with the number of pages also where checkpointctl looks for it. */
async function writeImages() {
  mkdirSync(directory);
  const image = (name, kind, ...messages) =>
    encodeImage(
      `${directory}/${name}.img`,
      kind,
      messages.map((message) => ({ message })),
    );
  const count = SIZE / 4096;
  const end = START + BigInt(SIZE);
  const pages = { vaddr: START, compat_nr_pages: count, nr_pages: BigInt(count), flags: 4 };
  await image(`pagemap-${PID}`, 'PAGEMAP', { pages_id: 1 }, pages);
  const vma = {
    start: START,
    end,
    pgoff: 0n,
    shmid: 0n,
    prot: 3,
    flags: 0x22,
    status: 0x201,
    fd: -1n,
  };
  const addresses = [
    ...['start_code', 'end_code', 'start_data', 'end_data', 'start_stack', 'start_brk', 'brk'],
    ...['arg_start', 'arg_end', 'env_start', 'env_end'],
  ].map((name) => [`mm_${name}`, 0n]);
  await image(`mm-${PID}`, 'MM', { ...Object.fromEntries(addresses), exe_file_id: 1, vmas: [vma] });
  const tc = {
    task_state: 1,
    exit_code: 0,
    personality: 0,
    flags: 0,
    blk_sigset: 0n,
    comm: 'bench',
  };
  await image(`core-${PID}`, 'CORE', { mtype: 'X86_64', tc });
  await image('pstree', 'PSTREE', { pid: PID, ppid: 0, pgid: PID, sid: PID, threads: [PID] });
  await image('files', 'FILES');
  const piece = Buffer.alloc(64 * MIB);
  for (let at = 0; at < SIZE; at += piece.length) {
    randomFillSync(piece);
    const own = PLACES.filter((place) => place >= at && place < at + piece.length);
    for (const place of own) piece.write(NEEDLE, place - at);
    appendFileSync(`${directory}/pages-1.img`, piece);
  }
  for (const name of ['config.dump', 'spec.dump']) writeFileSync(`${base}/${name}`, '{}');
  execFileSync('tar', ['-C', base, '-cf', archive, 'config.dump', 'spec.dump', 'checkpoint']);
}
