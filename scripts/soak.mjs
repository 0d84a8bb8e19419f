// Runs test files again and again, in random order, with busy loops beside them, and prints how often
// each test failed and with which seeds. Repeats in full what `npm test` only samples.
//
// usage: npm run test:soak -- [OPTION…] [FILE…]
//   --project NAME   unit, criu, package or vm; may be repeated (default: unit and criu)
//   --rounds N       how many rounds (default: 20)
//   --node MAJOR     the Node that runs the tests, one of .cache/node (default: this one)
//   --seed N         the seed of the first round's order; each round adds 1 (default: the time)
//   --loops N        busy loops at normal priority (default: 2)
//   --sampled        takes the samples of `npm test` instead of repeating in full
//   --until HH:MM    starts no round after this time of day
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    project: { type: 'string', multiple: true, default: ['unit', 'criu'] },
    rounds: { type: 'string', default: '20' },
    node: { type: 'string' },
    seed: { type: 'string', default: String(Math.trunc(Date.now() / 1000)) },
    loops: { type: 'string', default: '2' },
    sampled: { type: 'boolean', default: false },
    until: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const node = options.node ? join(root, `.cache/node/${options.node}/bin/node`) : process.execPath;
if (!existsSync(node))
  throw new Error(`There is no Node ${options.node}; run: npm run setup -- tests`);
const directory = join(root, '.cache/soak', String(process.pid));
const notes = join(directory, 'notes.jsonl');
await rm(directory, { recursive: true, force: true });
await mkdir(directory, { recursive: true });

/** By the name of the test: the seeds of the rounds in which it failed, and the first failure. */
const failures = new Map();
const children = new Set();
let [done, ran, stopped] = [0, 0, false];
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopped = true;
    for (const child of children) child.kill(signal);
  });
}

const loops = Array.from({ length: Number(options.loops) }, () =>
  spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
);
process.on('exit', () => {
  for (const loop of loops) loop.kill('SIGKILL');
});

for (let round = 0; round < rounds && !stopped && !isLate(); round++) {
  const seed = Number(options.seed) + round;
  const started = Date.now();
  const failed = await runRound(seed);
  if (stopped) break;
  done++;
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(
    `soak: round ${round + 1} of ${rounds}, seed ${seed}: ${failed} failed, ${seconds} s`,
  );
}
for (const loop of loops) loop.kill('SIGKILL');
await report();
process.exitCode = failures.size > 0 || done === 0 ? 1 : 0;

/** Runs all files once; resolves with how many tests failed. */
async function runRound(seed) {
  const output = join(directory, `${seed}.json`);
  const projects = options.project.flatMap((name) => ['--project', name]);
  const vitest = ['--sequence.shuffle.files', `--sequence.seed=${seed}`, ...files];
  const reporters = ['--reporter=json', `--outputFile.json=${relative(root, output)}`];
  const command = options.project.includes('vm')
    ? ['bash', 'scripts/test-vm.sh', ...reporters, ...vitest]
    : [node, 'node_modules/vitest/vitest.mjs', 'run', ...projects, ...reporters, ...vitest];
  const env = {
    ...process.env,
    // The programs that tests start by name are of that Node as well.
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    SOAK: options.sampled ? '' : '1',
    SOAK_NOTES: notes,
    VM_SECONDS: process.env.VM_SECONDS ?? '14400',
  };
  const child = spawn(command[0], command.slice(1), { cwd: root, env, stdio: 'pipe' });
  children.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-100_000);
    });
  }
  const [code] = await once(child, 'close');
  children.delete(child);
  if (stopped) return 0;
  const result = await readFile(output, 'utf8').then(JSON.parse, () => undefined);
  const failed = failuresOf(result, code);
  for (const { name, message } of failed) {
    const known = failures.get(name) ?? { seeds: [], message };
    known.seeds.push(seed);
    failures.set(name, known);
  }
  ran += result?.numTotalTests ?? 0;
  if (failed.length > 0) await writeFile(join(directory, `${seed}.log`), said);
  return failed.length;
}

/** The failed tests of a round, and files or whole rounds that failed outside their tests. */
function failuresOf(result, code) {
  if (!result) return [{ name: 'the whole round', message: `no report, exit code ${code}` }];
  const failed = result.testResults.flatMap((file) => {
    const path = relative(root, file.name);
    const tests = file.assertionResults.filter(({ status }) => status === 'failed');
    if (tests.length === 0 && file.status === 'failed')
      return [{ name: path, message: file.message }];
    return tests.map((test) => ({
      name: `${path} > ${test.fullName}`,
      message: test.failureMessages.join('\n'),
    }));
  });
  if (failed.length === 0 && code !== 0) {
    return [{ name: 'the whole round', message: `exit code ${code}` }];
  }
  return failed;
}

async function report() {
  const of = options.node ? `Node ${options.node}` : `Node ${process.versions.node}`;
  console.log(`soak: ${done} rounds of ${options.project.join(' and ')}, ${ran} tests, ${of}`);
  const most = [...failures].sort(([, a], [, b]) => b.seeds.length - a.seeds.length);
  for (const [name, { seeds, message }] of most) {
    console.log(
      `\n${name}: failed in ${seeds.length} of ${done} rounds, seeds ${seeds.join(', ')}`,
    );
    console.log(message.split('\n').slice(0, 12).join('\n').replace(/^/gm, '    '));
  }
  if (failures.size === 0) console.log('soak: no test failed');
  else console.log(`\nsoak: reports and output are in ${relative(root, directory)}`);
  await reportSamples();
}

/** What this run has done beyond `npm test`. */
async function reportSamples() {
  const lines = (await readFile(notes, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const added = [...new Set(lines)].map((line) => JSON.parse(line));
  if (added.length > 0) console.log('soak: repeated in each round, beyond the sample of npm test:');
  for (const { what, full, few } of added.sort((a, b) => a.what.localeCompare(b.what))) {
    console.log(`  ${what}: ${full} instead of ${few}`);
  }
}

function isLate() {
  if (!options.until) return false;
  const [hours, minutes] = options.until.split(':').map(Number);
  return Date.now() > new Date().setHours(hours, minutes, 0, 0);
}
