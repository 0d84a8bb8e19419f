import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { ReadStream } from 'node:tty';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { openContainer, restoreContainer } from '../../../src/containers.ts';
import { preCopy } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { Output } from '../../helpers/descriptors.ts';
import { twoRounds } from '../../helpers/iterations.ts';
import { nginxBundle } from '../../helpers/nginx.ts';
import { Bundle, pipeInto, type RunningContainer, removeAfterTest } from '../../helpers/runc.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';
import { WITHOUT_IO_URING } from '../../lab/containers.mjs';

/** Dumps a container and restores it at once. */
async function dumpAndRestore(running: RunningContainer, runtime: 'runc' | false, options = {}) {
  const criu = client();
  const { root, directory: bundle } = running.bundle;
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const container = await openContainer(criu, running.id, { root });
  const findings = await container.preflight(options);
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  await container.dump({ imagesDirectory, ...options });
  return await restoreContainer(criu, { imagesDirectory, id: running.id, bundle, root, runtime });
}

/** A connection that a test keeps. */
async function connected(port: number) {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    received += chunk;
  });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const ask = async (text: string, answer: string) => {
    received = '';
    socket.write(text);
    await waitFor(() => received.includes(answer), `the answer ${answer}, not ${received}`);
  };
  return { socket, ask };
}

const canConnect = (port: number) => async () =>
  await connected(port).then(
    ({ socket }) => {
      socket.destroy();
      return true;
    },
    () => false,
  );

test.each([
  ['runc', 'runc'],
  ['CRIU alone', false],
] as const)(
  'a Node server in a container keeps its connection, restored by %s',
  async (_, runtime) => {
    const script = `let count = 0;
      require('node:net').createServer((socket) => socket.on('data', () => socket.write('request ' + ++count + '\\n')))
        .listen(18080, '127.0.0.1');`;
    const bundle = await Bundle.make([process.execPath, '-e', script]);
    await bundle.bindHost(dirname(dirname(process.execPath)));
    bundle.config.linux.seccomp = WITHOUT_IO_URING;
    bundle.shareNetwork();
    const running = await bundle.run('server');
    await waitFor(canConnect(18080), 'the server listens');
    const { socket, ask } = await connected(18080);
    await ask('x', 'request 1\n');
    await dumpAndRestore(running, runtime, { tcpEstablished: true });
    await ask('x', 'request 2\n');
    socket.destroy();
  },
);

test('redis in a container keeps its data and its client', async () => {
  const bundle = await Bundle.make(['/usr/bin/redis-server', '--port', '16379', '--save', '']);
  await bundle.bindHost('/etc/ssl');
  bundle.shareNetwork();
  const running = await bundle.run('redis');
  await waitFor(canConnect(16379), 'redis listens');
  const { socket, ask } = await connected(16379);
  await ask('SET name value\r\n', '+OK');
  await dumpAndRestore(running, 'runc', { tcpEstablished: true });
  await ask('GET name\r\n', 'value');
  socket.destroy();
});

test('mounts that come with a bind mount are found, and restored', async () => {
  const host = await temporaryDirectory();
  await mkdir(join(host, 'below'));
  await execa('mount', ['-t', 'tmpfs', 'tmpfs', join(host, 'below')]);
  onTestFinished(async () => void (await execa('umount', ['-l', join(host, 'below')])));
  await writeFile(join(host, 'below/file'), 'shown\n');
  const bundle = await Bundle.make(['sleep', '1000']);
  const options = ['rbind', 'rprivate'];
  bundle.config.mounts.push({ destination: '/data', type: 'bind', source: host, options });
  const running = await bundle.run('mounts');
  for (const runtime of ['runc', false] as const) {
    await dumpAndRestore(running, runtime);
    expect(running.exec('cat', '/data/below/file')).toBe('shown\n');
  }
});

test('nginx with workers answers in its own network', async () => {
  const bundle = await nginxBundle();
  const running = await bundle.run('nginx');
  const ask = () => running.exec('busybox', 'wget', '-qO-', 'http://127.0.0.1/');
  const answers = () => {
    try {
      return ask() === 'served\n';
    } catch {
      return false;
    }
  };
  await waitFor(
    answers,
    `nginx answers: ${await readFile(running.output, 'utf8').catch(() => '')}`,
  );
  const processes = () => running.exec('ps', '-o', 'comm').match(/^nginx$/gm)?.length;
  expect(processes()).toBe(3);
  await dumpAndRestore(running, 'runc');
  expect(ask()).toBe('served\n');
  expect(processes()).toBe(3);
  await dumpAndRestore(running, false);
  expect(ask()).toBe('served\n');
  expect(processes()).toBe(3);
});

test('rounds of a container by comparison are restored by runc, with all of its memory', async () => {
  const criu = client();
  const program = await compileFixture('memory');
  const bundle = await Bundle.make([program, '/tmp/writes', '64', '4', '2000', 'fixed']);
  await bundle.bindHost(dirname(program));
  const running = await bundle.run('memory');
  await waitFor(async () => (await running.lines()).includes('ready'), 'the memory is filled');
  const { root, directory } = bundle;
  const container = await openContainer(criu, 'memory', { root });
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const iteration = await container.iterate({ imagesDirectory, tracking: 'compare' });
  const pages: number[] = [];
  for await (const { stats } of preCopy(iteration, twoRounds)) pages.push(stats.pagesWritten);
  // The second round has only what has changed since the first.
  expect(pages[1]).toBeLessThan((pages[0] ?? 0) / 2);
  expect(pages[1]).toBeGreaterThan(0);
  const dumped = await iteration.dump();
  const after = `${running.output}.2`;
  const output = pipeInto(after);
  await container.delete();
  const restored = await restoreContainer(criu, {
    ...{ imagesDirectory: dumped.directory, id: 'memory', bundle: directory, root },
    stdio: ['ignore', output, output],
  });
  expect(running.status()?.pid).toBe(restored.container.pid);
  output.close();
  running.call('kill', 'USR1');
  // Every page is as it was written last.
  await waitFor(async () => (await running.lines(after))[0]?.startsWith('ok ') === true, 'ok');
});

test('a container with a terminal goes on with a new one', async () => {
  const criu = client();
  const bundle = await Bundle.make(['cat']);
  bundle.config.process.terminal = true;
  const ends = join(await temporaryDirectory(), 'ends');
  const hook = `sleep 0.3; echo removed >> ${ends}`;
  bundle.config.hooks = { poststop: [{ path: '/bin/sh', args: ['sh', '-c', hook] }] };
  await bundle.write();
  removeAfterTest(bundle, 'terminal');
  const { root, directory } = bundle;
  const args = ['--root', root, 'run', '--bundle', directory, 'terminal'];
  const terminal = await startOnTerminal('/usr/sbin/runc', args);
  // Before, lines end as the container has written them.
  const stty = ['-F', `/proc/${terminal.pid}/fd/0`, '-a'];
  const isRaw = async () => (await execa('stty', stty)).stdout.includes('-icanon');
  await waitFor(isRaw, 'runc has made its terminal raw');
  terminal.type('first\n');
  await terminal.output.has('first\r\nfirst\r\n');
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const container = await openContainer(criu, 'terminal', { root });
  expect(await container.preflight()).toEqual([]);
  await container.dump({ imagesDirectory });
  // By the runc on the terminal, whose end the dump has awaited.
  expect(await readFile(ends, 'utf8')).toBe('removed\n');
  expect(existsSync(join(root, 'terminal'))).toBe(false);
  let master = -1;
  const options = {
    imagesDirectory,
    id: 'terminal',
    bundle: directory,
    root,
    runtime: false as const,
  };
  const orphanPtsMaster = (fd: number) => {
    master = fd;
  };
  await restoreContainer(criu, { ...options, hooks: { orphanPtsMaster } });
  const stream = new ReadStream(master);
  const output = new Output(stream);
  stream.write('second\n');
  await output.has('second\nsecond\n');
  stream.destroy();
});
