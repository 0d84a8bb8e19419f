// Measures for how long a container of 64 MiB stands still when it moves, in turns: by podman's export, copy and import,
// and by node-criu, from one state directory of runc to another. The program writes a line every 5 ms; the longest time
// in which none comes counts. All is in memory, nothing is encrypted, and all use the same criu.
//
// usage: npm run bench:containers:moves [-- REPEATS]
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { containerDestination, openContainer } from '../../dist/containers.js';
import { Criu } from '../../dist/index.js';
import { podmanConfiguration } from '../../test/lab/podman.mjs';
import { criuPath } from '../criu-path.mjs';
import { bindOf, makeRoot, writeBundle } from './bundle.mjs';
import { document, positionals } from './document.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const MIB = 64;
const IMAGE = 'localhost/bench:1';
const [repeats = '15'] = positionals;
const program = new URL('../../.cache/fixtures/run-log', import.meta.url).pathname;
const directory = mkdtempSync('/dev/shm/node-criu-moves-bench-');
const at = (...names) => join(directory, ...names);
const env = { ...process.env, PATH: `${dirname(criuPath())}:${process.env.PATH}` };
const run = promisify(execFile);
const log = at('shared', 'log');
const command = ['/bin/run-log', log, String(MIB)];
const criu = new Criu({ path: criuPath() });
let made = 0;

mkdirSync(at('shared'));
makeRoot(at('root'), program);
await startPodman();

const ways = {
  'podman: export, copy, import': byPodman,
  'node-criu, stop-and-copy': () => byMigration('stop-and-copy'),
  'node-criu, pre-copy': () => byMigration('pre-copy'),
};
const values = await measureByTurns(ways, Number(repeats), (way) => way());
const [[, base]] = Object.entries(values);
const rows = Object.entries(values).map(([name, gaps]) => {
  const ratio = gaps === base ? '1' : ratioText(pairedRatio(gaps, base));
  return `| ${[name, `${median(gaps).toFixed(0)} ms`, ratio].join(' | ')} |`;
});
await criu.close();
rmSync(directory, { recursive: true });

const heading = `| Container of ${MIB} MiB moves by | It stands still for | Compared with podman |`;
const table = [heading, '| --- | --- | --- |', ...rows].join('\n');
console.log(table);
document('docs/performance.md', 'bench:containers:moves', table);

async function byPodman() {
  const [name, copy] = [`bench${++made}`, `bench${++made}`];
  const [exported, imported] = [at('exported.tar'), at('imported.tar')];
  const mounts = ['/usr:/usr:ro', `${at('shared')}:${at('shared')}`].flatMap((each) => [
    '-v',
    each,
  ]);
  await podman(
    'run',
    '--detach',
    '--network',
    'none',
    '--name',
    name,
    ...mounts,
    IMAGE,
    ...command,
  );
  const gap = await longestGap(async () => {
    await podman('container', 'checkpoint', '--export', exported, '--compress', 'none', name);
    copyFileSync(exported, imported);
    await podman('container', 'restore', '--import', imported, '--name', copy);
  });
  await podman('rm', '--force', '--time', '0', name, copy);
  return gap;
}

async function byMigration(mode) {
  const id = `bench${++made}`;
  const [here, there] = ['here', 'there'].map((name) => makeBundle(at(`${name}-${id}`)));
  const runc = (root, ...args) =>
    execFileSync('runc', ['--root', root, ...args], { env, stdio: 'ignore' });
  runc(here.root, 'run', '--detach', '--bundle', here.bundle, id);
  const server = await criu.serveMigrations({
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true },
    ...containerDestination({ directory: at(`server-${id}`), place: () => there }),
  });
  const container = await openContainer(criu, id, { root: here.root });
  const gap = await longestGap(async () => {
    const to = { host: '127.0.0.1', port: server.port };
    const options = { to, insecure: true, mode, directory: at(`client-${id}`) };
    await (await container.migrate(options)).result;
  });
  runc(there.root, 'delete', '--force', id);
  await server.close();
  for (const name of ['here', 'there', 'server', 'client'])
    rmSync(at(`${name}-${id}`), { recursive: true });
  return gap;
}

/** The longest time in which the program writes nothing, while it moves, in milliseconds. */
async function longestGap(move) {
  while (lines() < 20) await sleep(10);
  let [isOver, longest, last, size] = [false, 0, performance.now(), lines()];
  const moving = move().finally(() => {
    isOver = true;
  });
  for (let after = 0; after < 20; await sleep(1)) {
    const now = lines();
    if (now === size) continue;
    if (isOver) after++;
    longest = Math.max(longest, performance.now() - last);
    [last, size] = [performance.now(), now];
  }
  await moving;
  rmSync(log);
  return longest;
}

/** How much the program has written, in lines or more. */
function lines() {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}

function makeBundle(base) {
  const bundle = join(base, 'bundle');
  writeBundle(bundle, program, command, (config) => {
    config.linux.cgroupsPath = `/${base.split('/').at(-1)}`;
    config.mounts.push(bindOf(at('shared')));
  });
  return { bundle, root: join(base, 'runc'), stdio: 'ignore' };
}

/** Gives podman storage of its own, with the image. */
async function startPodman() {
  writeFileSync(at('containers.conf'), podmanConfiguration(directory));
  execFileSync('tar', ['-cf', at('image.tar'), '-C', at('root'), '.']);
  await podman('import', at('image.tar'), IMAGE);
}

async function podman(...args) {
  const storage = ['--root', at('storage'), '--runroot', at('state'), '--tmpdir', at('tmp')];
  const options = { env: { ...env, CONTAINERS_CONF: at('containers.conf') } };
  await run('podman', [...storage, '--storage-driver', 'vfs', ...args], options);
}
