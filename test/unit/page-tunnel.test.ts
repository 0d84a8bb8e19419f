import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { RateLimit } from '../../src/concurrency/rate-limit.ts';
import { PageTunnel, type TunnelOptions } from '../../src/migration/protocol/page-tunnel.ts';
import { holdings } from '../helpers/own-resources.ts';
import { connection, readBytes } from '../helpers/sockets.ts';
import { waitFor } from '../helpers/workload.ts';

test('carries bytes both ways, counts them, and closes with its peer', async () => {
  const { tunnel, peer } = await startEcho({ stallMs: 60_000 });
  const pages = randomBytes(3 << 20);
  const echoed = readBytes(peer, pages.length);
  peer.write(pages);
  expect((await echoed).equals(pages)).toBe(true);
  expect(tunnel.sent).toBe(pages.length);
  peer.end();
  expect(await tunnel.closed).toBeUndefined();
});

test("keeps criu's descriptor open for its user when it closes", async () => {
  const { tunnel, peer, exited } = await startEcho({ stallMs: 60_000 });
  await tunnel.criuFd.use(async (fd) => {
    const socket = await readlink(`/proc/self/fd/${fd}`);
    peer.resetAndDestroy();
    await tunnel.closed;
    expect(await readlink(`/proc/self/fd/${fd}`)).toBe(socket);
    await expect(tunnel.criuFd.use(async () => {})).rejects.toThrow('ECONNRESET');
    // The process at the other end sees the end of the connection nevertheless.
    await exited;
  });
});

test('keeps the local descriptor open for its user after Node has closed its own', async () => {
  const { tunnel, peer, exited } = await startEcho({ stallMs: 60_000 });
  await tunnel.useLocalFd(async (fd) => {
    const socket = await readlink(`/proc/self/fd/${fd}`);
    const count = async () =>
      (await holdings()).descriptors.filter((link) => link === socket).length;
    expect(await count()).toBe(2);
    peer.resetAndDestroy();
    await tunnel.closed;
    await exited;
    await waitFor(async () => (await count()) === 1, 'Node closes the descriptor of its socket');
    expect(await readlink(`/proc/self/fd/${fd}`)).toBe(socket);
    await expect(tunnel.useLocalFd(async () => {})).rejects.toThrow('ECONNRESET');
  });
});

test('reports why it closed', async () => {
  const { tunnel, peer } = await startEcho({ stallMs: 60_000 });
  peer.resetAndDestroy();
  expect(await tunnel.closed).toMatchObject({ code: 'ECONNRESET' });
});

test('closes when pending data does not move', async () => {
  const { tunnel, peer } = await startEcho({ stallMs: 1000 });
  // More than all buffers hold, and nobody reads what comes back.
  peer.write(Buffer.alloc(64 << 20));
  expect(await tunnel.closed).toMatchObject({ message: 'no data has moved for 1000 ms' });
});

test('stays open while there is nothing to send', async () => {
  const { tunnel, peer } = await startEcho({ stallMs: 1 });
  // Longer than two intervals of the watch.
  const quiet = new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await Promise.race([tunnel.closed.then(() => 'closed'), quiet])).toBeUndefined();
  const echoed = readBytes(peer, 5);
  peer.write('still');
  expect(String(await echoed)).toBe('still');
});

test('keeps to its rate limit', async () => {
  const rateLimit = 200_000;
  const { peer } = await startEcho({ stallMs: 60_000, rateLimit: new RateLimit(rateLimit) });
  const start = performance.now();
  let [received, ahead] = [0, 0];
  peer.on('data', (data: Buffer) => {
    received += data.length;
    ahead = Math.max(ahead, received - ((performance.now() - start) / 1000) * rateLimit);
  });
  peer.resume().write(Buffer.alloc(300_000));
  await waitFor(() => received === 300_000, 'all bytes arrive');
  // Each piece may go slightly before its time is over.
  expect(ahead).toBeLessThan(rateLimit / 5);
});

test('keeps to a limit of what it receives, and loses nothing', async () => {
  let [time, counted] = [0, 0];
  const sleep = async (ms: number) => {
    time += ms;
  };
  const receiveLimit = new RateLimit(1 << 20, { now: () => time, sleep });
  const onReceived = (bytes: number) => {
    counted += bytes;
  };
  const { tunnel, peer } = await startEcho({ stallMs: 60_000, receiveLimit, onReceived });
  const echoed = readBytes(peer, 3 << 20);
  peer.write(Buffer.alloc(3 << 20));
  expect((await echoed).length).toBe(3 << 20);
  // The thread counts bytes after they have gone on, and reports the last ones when it is asked.
  const isCounted = () => {
    tunnel.reportReceived();
    return counted === 3 << 20;
  };
  await waitFor(isCounted, 'all bytes are counted');
  expect(time).toBeGreaterThan(2900);
});

/** A tunnel to a process that echoes what it receives, in place of criu. */
async function startEcho(options: TunnelOptions) {
  const [peer, remote] = await connection();
  const tunnel = new PageTunnel(remote, options);
  const cat = await tunnel.criuFd.use(async (fd) => spawn('cat', { stdio: [fd, fd, 'inherit'] }));
  const exited = once(cat, 'exit');
  onTestFinished(async () => {
    tunnel[Symbol.dispose]();
    await exited;
  });
  return { tunnel, peer, exited };
}
