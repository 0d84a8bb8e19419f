import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildCommand, events, startNodeCriu } from '../../helpers/command.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

beforeAll(buildCommand);

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s during a dump', (signal, exitCode) => {
  test('makes CRIU roll back, and the process continues', async () => {
    const { workload, command, proxy } = await blockedDump();
    process.kill(command.pid, signal);
    await waitFor(() => command.stderr().includes('cancelling'), 'the command reacts');
    proxy.release();
    const ended = await command.ended;
    expect(events(ended.stdout).at(-1)).toMatchObject({
      event: 'error',
      code: 'ERR_CRIU_ABORTED',
      cancelled: 'refused',
      workload: 'running',
      pid: workload.pid,
    });
    expect(ended.stderr).toMatch(/^node-criu: cancelling; .*\nnode-criu: .*runs? on/);
    expect(ended.exitCode).toBe(exitCode);
    await workload.verify();
    await workload.writesOn();
  });
});

test('the second Ctrl-C kills criu, and the process continues', async () => {
  const { workload, command } = await blockedDump();
  process.kill(command.pid, 'SIGINT');
  await waitFor(() => command.stderr().includes('cancelling'), 'the command reacts');
  process.kill(command.pid, 'SIGINT');
  const ended = await command.ended;
  expect(ended.stderr).toContain('node-criu: killing criu; press Ctrl-C again to exit at once\n');
  expect(events(ended.stdout).at(-1)).toMatchObject({
    event: 'error',
    code: 'ERR_CRIU_ABORTED',
    workload: 'running',
    leftovers: [],
  });
  expect(ended.exitCode).toBe(130);
  await workload.verify();
  await workload.writesOn();
});

test('a dump that exceeds its deadline fails, and the process continues', async () => {
  const { workload, command } = await blockedDump(['--deadline', '10s', '--grace-period', '100ms']);
  const ended = await command.ended;
  expect(events(ended.stdout).at(-1)).toMatchObject({
    event: 'error',
    code: 'ERR_CRIU_TIMEOUT',
    cancelled: 'killed',
    workload: 'running',
  });
  expect(ended.exitCode).toBe(1);
  await workload.verify();
  await workload.writesOn();
});

/** Starts a dump with the command that waits for its page server until `release` is called. */
async function blockedDump(limits: readonly string[] = ['--grace-period', '45s']) {
  const workload = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 100 });
  const pageServer = await client().pageServer({ imagesDirectory: await temporaryDirectory() });
  const proxy = await blockingProxy(pageServer.port as number);
  const command = await startNodeCriu([
    ...['dump', String(workload.pid), '-D', await temporaryDirectory(), '--json'],
    ...['--page-server', `127.0.0.1:${proxy.port}`, ...limits],
  ]);
  // A criu that is killed earlier can take the process with it, while its parasite runs there.
  await waitFor(() => hasRequest(proxy.port), 'the dump waits for its page server');
  return { workload, command, proxy };
}

/** True if a connection to this port has unread bytes. */
async function hasRequest(port: number): Promise<boolean> {
  const here = port.toString(16).toUpperCase().padStart(4, '0');
  const connection = new RegExp(`: 0100007F:${here} \\S+ 01 \\w{8}:(\\w{8}) `);
  const [, unread = ''] = connection.exec(await readFile('/proc/net/tcp', 'latin1')) ?? [];
  return /[1-9A-F]/.test(unread);
}

/** A proxy in front of a page server that forwards nothing until it is released. */
async function blockingProxy(to: number) {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => {});
    sockets.push(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    release() {
      for (const socket of [...sockets]) {
        const upstream = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
        upstream.on('error', () => {});
        sockets.push(upstream);
        socket.pipe(upstream).pipe(socket);
        socket.resume();
      }
    },
  };
}
