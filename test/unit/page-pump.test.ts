import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { Transform } from 'node:stream';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { execa } from 'execa';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { deferred } from '../../src/concurrency/deferred.ts';
import { type Credentials, readCredentials } from '../../src/migration/protocol/credentials.ts';
import {
  connectPages,
  PageListener,
  type PagesEndpoint,
  TOKEN_SIZE,
} from '../../src/migration/protocol/page-listener.ts';
import { PagePump } from '../../src/migration/protocol/page-pump.ts';
import { PageTunnel } from '../../src/migration/protocol/page-tunnel.ts';
import { native } from '../../src/native/index.ts';
import { duplicateFd } from '../../src/process/duplicate-fd.ts';
import { Authority, HERE } from '../helpers/certificates.ts';
import { holdings } from '../helpers/own-resources.ts';
import { readBytes } from '../helpers/sockets.ts';
import { waitFor } from '../helpers/workload.ts';

const host = '127.0.0.1';
const never = new AbortController().signal;
const pages = randomBytes(3 << 20);

type TlsParameters = { readonly ciphers?: string; readonly maxVersion?: 'TLSv1.2' };

let credentials: Credentials;
// The first test makes them for all.
beforeEach(async () => {
  credentials ??= await issue();
});

describe('two tunnels', () => {
  test.each(['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'])(
    'carry pages both ways on threads, with %s',
    async (ciphers) => {
      const { peers, echo } = await connected({ ciphers });
      expect(peers.map(PagePump.canTake)).toEqual([true, true]);
      const before = await holdings();
      const { tunnels, echoed } = await echo();
      expect(echoed.equals(pages)).toBe(true);
      expect(tunnels.map(({ sent }) => sent)).toEqual([pages.length, pages.length]);
      tunnels[0]?.[Symbol.dispose]();
      expect(await Promise.all(tunnels.map(({ closed }) => closed))).toEqual([
        undefined,
        undefined,
      ]);
      // The sockets of the connection are gone as well.
      const left = async () => (await holdings()).descriptors.length < before.descriptors.length;
      await waitFor(left, 'the pumps close their descriptors');
    },
  );

  test('carry pages if only one of them can use a thread', async () => {
    const { peers, echo } = await connected({}, { inJavaScript: true });
    expect(peers.map(PagePump.canTake)).toEqual([false, true]);
    expect((await echo()).echoed.equals(pages)).toBe(true);
  });

  test('carry pages with TLS 1.2, which no thread can continue', async () => {
    const { peers, echo } = await connected({ maxVersion: 'TLSv1.2' });
    expect(peers.map(PagePump.canTake)).toEqual([false, false]);
    expect((await echo()).echoed.equals(pages)).toBe(true);
  });

  test('carry pages that follow the handshake at once', async () => {
    const server = tls.createServer({ ...credentials, requestCert: true }, (peer) => {
      // The welcome and the first pages are in one record.
      peer.once('data', () => peer.write(Buffer.concat([Buffer.of(1), pages])));
      peer.on('error', () => {});
    });
    const port = await listen(server);
    const peer = await connectPages({ host, port }, credentials, randomBytes(TOKEN_SIZE), never);
    expect(PagePump.canTake(peer)).toBe(true);
    const received = await readBytes(criuEnd(startTunnel(peer)), pages.length);
    expect(received.equals(pages)).toBe(true);
  });

  test('fail when data is changed on its way', async () => {
    const { listener, token } = await startListener({}, () => {});
    const proxy = createServer((incoming) => {
      const outgoing = connect({ host, port: listener.port });
      let passed = 0;
      const change = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          passed += chunk.length;
          if (passed > 1 << 20) chunk.writeUInt8(chunk.readUInt8(0) ^ 1);
          done(null, chunk);
        },
      });
      incoming.pipe(change).pipe(outgoing).pipe(incoming);
      for (const socket of [incoming, outgoing]) {
        socket.on('error', () => {});
        onTestFinished(() => void socket.destroy());
      }
    });
    const accepted = new Promise<Socket>((resolve) => listener.expect(token, resolve));
    const port = await listen(proxy);
    const near = await connectPages({ host, port }, credentials, token, never);
    const far = startTunnel(await accepted);
    criuEnd(startTunnel(near)).write(pages);
    expect(await far.closed).toEqual(
      new Error('the peer has sent data that is not a valid record of TLS'),
    );
  });
});

test('a pump refuses what it cannot use, and leaves the descriptors to its caller', () => {
  const [local, peer] = native().streamPair(1 << 16);
  onTestFinished(() => [local, peer].forEach((fd) => void native().close(fd)));
  const none = new Uint8Array();
  const request = { local, peer, early: none, unread: none };
  const start = (more: object) => () => native().pump({ ...request, ...more }, () => {});
  const keys = new Uint8Array(36);
  const unusable = [
    { cipher: 'aes-256-gcm', sendKeys: keys, receiveKeys: keys },
    { cipher: 'rot-13', sendKeys: keys, receiveKeys: keys },
    { cipher: 'aes-128-gcm', sendKeys: keys, receiveKeys: none },
    { early: 'text' },
    { local: undefined },
  ];
  for (const more of unusable) expect(start(more)).toThrow(TypeError);
  expect(() => native().pump(request, undefined as unknown as () => void)).toThrow(TypeError);
});

describe('an environment that ends while its pumps move data', () => {
  const addonFile = () => {
    native();
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    return loaded.find((file) => /\/build\/[^/]+\.node$/.test(file));
  };
  /**
   * Moves a MiB round and round: encrypted from one pump to another, which decrypts it, and back in plain
   * through a third.
   */
  const ring = () => `
    const native = require(${JSON.stringify(addonFile())});
    const none = new Uint8Array();
    const [a, b, wire] = [0, 1, 2].map(() => native.streamPair(1 << 20));
    for (const [, fd] of [a, b, wire]) {
      // Both ends of these pairs are for pumps, which must not block.
      native.watch(fd, () => {}).close();
    }
    const [there, back] = [1, 2].map((key) => new Uint8Array(16 + 12 + 8).fill(key));
    const tls = { cipher: 'aes-128-gcm', early: none, unread: none };
    const pumps = [
      native.pump({ ...tls, local: a[0], peer: wire[0], sendKeys: there, receiveKeys: back }, () => {}),
      native.pump({ ...tls, local: b[0], peer: wire[1], sendKeys: back, receiveKeys: there }, () => {}),
      native.pump({ local: a[1], peer: b[1], early: new Uint8Array(1 << 20), unread: none }, () => {}),
    ];
    for (const pump of pumps) {
      pump.limitSending(Infinity, Infinity);
      pump.limitReceiving(Infinity, Infinity);
    }
    const whenMoving = (run) => {
      if (pumps.every((pump) => pump.state().received + pump.state().sent > 8 << 20)) run();
      else setTimeout(whenMoving, 1, run);
    };
  `;

  test('process.exit() ends the process with its code', async () => {
    const { exitCode, signal } = await execa(
      'node',
      ['-e', `${ring()} whenMoving(() => process.exit(7))`],
      {
        reject: false,
      },
    );
    expect({ exitCode, signal }).toEqual({ exitCode: 7, signal: undefined });
  });

  test('a terminated worker leaves no thread and no descriptor', async () => {
    const threads = () => fs.readdirSync('/proc/self/task').length;
    const before = { threads: threads(), ...(await holdings()) };
    const post = `require('node:worker_threads').parentPort.postMessage('moving')`;
    const worker = new Worker(`${ring()} whenMoving(() => ${post})`, { eval: true });
    await once(worker, 'message');
    expect(threads()).toBeGreaterThanOrEqual(before.threads + 4);
    await worker.terminate();
    await waitFor(() => threads() <= before.threads, 'the threads end');
    expect(await holdings()).toEqual({ ...before, threads: undefined });
  });
});

async function issue(): Promise<Credentials> {
  const authority = await Authority.create('the hosts');
  const material = { ca: authority.cert, ...(await authority.issue(HERE)) };
  return (await readCredentials('migrate', host, material, undefined)) as Credentials;
}

/** A connection for pages whose two ends are `[connecting, accepted]`. */
async function connected(options: TlsParameters, more: Partial<PagesEndpoint> = {}) {
  const accepted = deferred<Socket>();
  const { listener, token } = await startListener(options, accepted.resolve);
  const endpoint = { host, port: listener.port, ...more };
  const near = await connectPages(endpoint, { ...credentials, ...options }, token, never);
  const peers = [near, await accepted.promise] as const;
  for (const peer of peers) onTestFinished(() => void peer.destroy());
  /** Sends the pages through two tunnels to a process that echoes them. */
  const echo = async () => {
    const tunnels = peers.map(startTunnel) as [PageTunnel, PageTunnel];
    const cat = await tunnels[1].criuFd.use(async (fd) =>
      spawn('cat', { stdio: [fd, fd, 'inherit'] }),
    );
    onTestFinished(() => void cat.kill('SIGKILL'));
    const end = criuEnd(tunnels[0]);
    end.write(pages);
    const echoed = await readBytes(end, pages.length);
    return { tunnels, echoed };
  };
  return { peers, echo };
}

async function startListener(options: TlsParameters, onConnection: (peer: Socket) => void) {
  const listener = await PageListener.listen(host, 0, { ...credentials, ...options });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  const token = randomBytes(TOKEN_SIZE);
  listener.expect(token, onConnection);
  return { listener, token };
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function startTunnel(peer: Socket): PageTunnel {
  const tunnel = new PageTunnel(peer, { stallMs: 60_000 });
  onTestFinished(() => tunnel[Symbol.dispose]());
  return tunnel;
}

/** criu's end of a tunnel, as a socket of this process. */
function criuEnd(tunnel: PageTunnel): Socket {
  let end: Socket | undefined;
  void tunnel.criuFd.use(async (fd) => {
    const duplicate = duplicateFd(fd);
    native().release(duplicate);
    end = new Socket({ fd: duplicate, readable: true, writable: true });
  });
  const socket = end as unknown as Socket;
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}
