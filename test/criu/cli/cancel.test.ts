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
] as const)('a dump that gets %s', (signal, exitCode) => {
  test('is rolled back by CRIU, and the process runs on', async () => {
    const { workload, command, wire } = await heldDump();
    process.kill(command.pid, signal);
    await waitFor(() => command.stderr().includes('cancelling'), 'it has understood');
    wire.letGo();
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

test('the second Ctrl-C kills criu, and the process runs on', async () => {
  const { workload, command } = await heldDump();
  process.kill(command.pid, 'SIGINT');
  await waitFor(() => command.stderr().includes('cancelling'), 'it has understood');
  process.kill(command.pid, 'SIGINT');
  const ended = await command.ended;
  expect(ended.stderr).toContain('node-criu: killing criu; again to end at once\n');
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

test('a dump that is not done at its deadline is a failure, and the process runs on', async () => {
  const { workload, command } = await heldDump(['--deadline', '10s', '--grace-period', '100ms']);
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

/** A dump by the command that cannot go on: its page server hears nothing until it is let go. */
async function heldDump(limits: readonly string[] = ['--grace-period', '45s']) {
  const workload = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 100 });
  const server = await client().pageServer({ imagesDirectory: await temporaryDirectory() });
  const wire = await holdingWire(server.port as number);
  const command = await startNodeCriu([
    ...['dump', String(workload.pid), '-D', await temporaryDirectory(), '--json'],
    ...['--page-server', `127.0.0.1:${wire.port}`, ...limits],
  ]);
  // Earlier a killed criu might take the process with it, at work on its code.
  await waitFor(() => isAsked(wire.port), 'the dump waits for an answer of the page server');
  return { workload, command, wire };
}

/** Whether there is something to read from a connection to this port. */
async function isAsked(port: number): Promise<boolean> {
  const here = port.toString(16).toUpperCase().padStart(4, '0');
  const connection = new RegExp(`: 0100007F:${here} \\S+ 01 \\w{8}:(\\w{8}) `);
  const [, unread = ''] = connection.exec(await readFile('/proc/net/tcp', 'latin1')) ?? [];
  return /[1-9A-F]/.test(unread);
}

/** Stands between a dump and its page server, and passes nothing on until it is let go. */
async function holdingWire(to: number) {
  const sockets: Socket[] = [];
  const between = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    near.on('error', () => {});
    sockets.push(near);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  onTestFinished(() => {
    between.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (between.address() as AddressInfo).port,
    letGo() {
      for (const near of [...sockets]) {
        const far = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
        far.on('error', () => {});
        sockets.push(far);
        near.pipe(far).pipe(near);
        near.resume();
      }
    },
  };
}
