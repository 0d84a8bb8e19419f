// Freezes a live HTTP server to disk and restores it, while a client keeps one TCP connection to it.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Criu, CriuError, spawnCheckpointable } from 'node-criu';
import { criuPath } from '../criu-path.mjs';

const directory = await mkdtemp(join(tmpdir(), 'node-criu-demo-'));
const imagesDirectory = join(directory, 'images');
const connection = new Agent({ keepAlive: true, maxSockets: 1 });
let pid;
try {
  await demo(new Criu({ path: criuPath() }));
} catch (error) {
  report(error);
  process.exitCode = 1;
} finally {
  connection.destroy();
  if (isRunning()) process.kill(pid, 'SIGKILL');
  await rm(directory, { recursive: true, force: true });
}

async function demo(criu) {
  const { major, minor, sublevel } = await criu.version();
  say(`CRIU ${major}.${minor}.${sublevel}, Node ${process.versions.node}`);
  const { port, server } = await startServer();
  const before = [await request(port), await request(port), await request(port)];
  say(
    `the server, process ${pid}, counts requests: ${before.map(({ count }) => count).join(', ')}`,
  );

  const dump = await criu.dump(pid, { imagesDirectory, tcpEstablished: true });
  await server.exited;
  if (isRunning()) throw new Error(`process ${pid} still runs after the dump`);
  say(`dumped: process ${pid} has ended, and its images are on disk`);

  const restored = await criu.restore({ imagesDirectory, tcpEstablished: true });
  const after = [await request(port), await request(port)];
  say(
    `restored: process ${restored.pid} continues to count: ${after.map(({ count }) => count).join(', ')}`,
  );
  check(before, after);

  say('');
  table([
    ['size of the images', `${((await size(imagesDirectory)) / 2 ** 20).toFixed(1)} MiB`],
    ['pages written', String(dump.stats.pagesWritten)],
    ['frozen time', milliseconds(dump.stats.frozenTimeMs)],
    ['dump, wall time', milliseconds(dump.durationMs)],
    ['restore, wall time', milliseconds(restored.durationMs)],
    ['client port before', String(before[0].clientPort)],
    ['client port after', String(after[0].clientPort)],
  ]);
}

/** Starts the server, which is an ordinary program, so that it can be dumped. */
async function startServer() {
  const output = join(directory, 'server.log');
  const script = fileURLToPath(new URL('server.mjs', import.meta.url));
  const server = await spawnCheckpointable(process.execPath, [...nodeOptions(), script], {
    stdout: output,
    stderr: output,
  });
  pid = server.pid;
  for (let tries = 0; tries < 1000; tries++) {
    const [port] = (await readFile(output, 'utf8')).split('\n');
    if (Number(port) > 0) return { port: Number(port), server };
    if (!isRunning()) break;
    await sleep(10);
  }
  throw new Error(`the server did not start: ${await readFile(output, 'utf8')}`);
}

/** CRIU does not restore the protection keys that Node 20 puts on WebAssembly code. */
function nodeOptions() {
  return process.versions.node.startsWith('20.') ? ['--no-wasm-memory-protection-keys'] : [];
}

/** Sends a request on the one connection; resolves with the count and the client's own port. */
function request(port) {
  return new Promise((resolve, reject) => {
    const sent = get(
      { port, host: '127.0.0.1', agent: connection, timeout: 20_000 },
      async (response) => {
        const clientPort = response.socket.localPort;
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve({ count: Number(body), clientPort });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('the server did not answer')));
    sent.on('error', reject);
  });
}

function check(before, after) {
  const all = [...before, ...after];
  if (all.some(({ count }, index) => count !== index + 1)) {
    throw new Error(`the count did not continue: ${all.map(({ count }) => count).join(', ')}`);
  }
  if (new Set(all.map(({ clientPort }) => clientPort)).size > 1) {
    throw new Error('the client had to connect again');
  }
}

async function size(path) {
  const names = await readdir(path);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
  return sizes.reduce((sum, one) => sum + one, 0);
}

function isRunning() {
  return pid !== undefined && existsSync(`/proc/${pid}`);
}

function milliseconds(time) {
  return `${time.toFixed(1)} ms`;
}

function table(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) say(`${name.padEnd(width)}  ${value.padStart(10)}`);
}

function report(error) {
  if (!(error instanceof CriuError)) {
    console.error(error);
    return;
  }
  console.error(`${error.code}: ${error.message}`);
  for (const line of error.log?.errors ?? []) console.error(`  ${line}`);
  if (error.stderr) console.error(error.stderr);
}

function say(text) {
  console.log(text);
}
