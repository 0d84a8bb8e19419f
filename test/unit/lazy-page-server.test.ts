import { readFile } from 'node:fs/promises';
import { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RateLimit } from '../../src/concurrency/rate-limit.ts';
import { native } from '../../src/native/index.ts';
import { LazyPageServer } from '../../src/postcopy/lazy-page-server.ts';
import { PageLedger } from '../../src/postcopy/page-ledger.ts';
import { closeAnswer, closeMessage } from '../../src/postcopy/page-protocol.ts';
import { Authority, type Certificate, HERE, tls } from '../helpers/certificates.ts';
import { failureOf } from '../helpers/failures.ts';
import { holdings } from '../helpers/own-resources.ts';
import { commands, pageAnswer, pageMessage, pageRequest } from '../helpers/page-messages.ts';
import { startPageServer, Talker } from '../helpers/page-server-peer.ts';
import { connection, inProc, listening, timersAt } from '../helpers/sockets.ts';
import { waitFor } from '../helpers/workload.ts';

const CLOSE = pageMessage(commands.close);
const FAILURE = Buffer.alloc(32);

describe('a peer that is not the destination', () => {
  const strangers: readonly (readonly [string, (stranger: Talker) => void])[] = [
    ['hangs up', ({ socket }) => socket.end()],
    ['breaks off', ({ socket }) => socket.resetAndDestroy()],
    [
      'sends half a request and hangs up',
      ({ socket }) => socket.end(pageRequest().subarray(0, 31)),
    ],
    ['sends HTTP', (stranger) => stranger.send(Buffer.from('GET / HTTP/1.1\r\n'.repeat(4)))],
    ['sends the close message', (stranger) => stranger.send(CLOSE)],
    [
      'sends the forced close message',
      (stranger) => stranger.send(pageMessage(commands.forceClose)),
    ],
    ['sends pages', (stranger) => stranger.send(pageAnswer())],
    ['requests the pages of another process', (one) => one.send(pageRequest({ pid: 2 }))],
    ['requests pages that there are not', (one) => one.send(pageRequest({ start: 2 ** 40 }))],
    ['requests no pages', (one) => one.send(pageRequest({ count: 0 }))],
  ];

  test.each(strangers)('that %s is disconnected, and the destination is served', async (_, act) => {
    const { server, criu, ledger, departure, connectPeer } = await startPageServer();
    server.open(ledger);
    const stranger = await connectPeer();
    act(stranger);
    await stranger.ended;
    expect(stranger.received).toHaveLength(0);
    await serves({ criu, destination: await connectPeer() });
    expect(server.hasServed).toBe(true);
    expect(departure()).toBeUndefined();
  });

  test.each(strangers)('that %s before criu is ready is disconnected, too', async (_, act) => {
    const { server, criu, ledger, connectPeer } = await startPageServer();
    const stranger = await connectPeer();
    act(stranger);
    const destination = await connectPeer();
    server.open(ledger);
    await stranger.ended;
    await serves({ criu, destination });
  });

  test('that is silent blocks no other peer, and is disconnected when the destination has connected', async () => {
    const { server, criu, ledger, connectPeer } = await startPageServer();
    server.open(ledger);
    const stranger = await connectPeer();
    await serves({ criu, destination: await connectPeer() });
    await stranger.ended;
    expect(stranger.received).toHaveLength(0);
  });

  test('waits only among a limited number of others', async () => {
    const { server, criu, ledger, connectPeer } = await startPageServer();
    server.open(ledger);
    const crowd = await Promise.all(Array.from(Array(20), connectPeer));
    await waitFor(
      () => crowd.filter(({ socket }) => socket.closed).length === 4,
      '4 are disconnected',
    );
    for (const { socket } of crowd) socket.destroy();
    await sleep(10);
    const served = async () => {
      const destination = await connectPeer();
      destination.send(pageRequest());
      await Promise.race([
        destination.ended,
        waitFor(() => criu.received.length > 0, 'criu gets a request'),
      ]);
      return criu.received.length > 0;
    };
    await waitFor(served, 'another peer is accepted again');
  });

  test('is not accepted after fail()', async () => {
    const { server, criu, ledger, connectPeer } = await startPageServer();
    server.open(ledger);
    const waiting = await connectPeer();
    server.fail();
    await waiting.ended;
    await expect(connectPeer()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await criu.receives(32)).toEqual(FAILURE);
    expect(server.hasServed).toBe(false);
  });
});

describe('the destination', () => {
  test('is the only peer that is accepted', async () => {
    const { server, criu, ledger, connectPeer } = await startPageServer();
    server.open(ledger);
    await serves({ criu, destination: await connectPeer() });
    await expect(connectPeer()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('is one of two peers that send requests at once', async () => {
    const { server, criu, ledger, connectPeer } = await startPageServer();
    const both = [await connectPeer(), await connectPeer()];
    for (const one of both) one.send(pageRequest());
    server.open(ledger);
    await Promise.race(both.map(({ ended }) => ended));
    expect(await criu.receives(32)).toEqual(pageRequest());
    criu.send(pageAnswer());
    const [kept, ...more] = both.filter(({ socket }) => !socket.closed);
    expect(more).toEqual([]);
    expect(await kept?.receives(32 + native().pageSize)).toEqual(pageAnswer());
  });

  test('may send requests before criu is ready', async () => {
    const { server, criu, ledger, connectPeer } = await startPageServer();
    const destination = await connectPeer();
    destination.send(pageRequest(), pageRequest({ start: 4096 }));
    await sleep(10);
    expect(criu.received).toHaveLength(0);
    server.open(ledger);
    expect(await criu.receives(64)).toEqual(
      Buffer.concat([pageRequest(), pageRequest({ start: 4096 })]),
    );
  });

  test.each([
    ['hangs up', ({ socket }: Talker) => socket.end()],
    ['breaks off', ({ socket }: Talker) => socket.resetAndDestroy()],
    ['sends an unknown command', (peer: Talker) => peer.send(Buffer.alloc(32, 1))],
    ['requests pages that there are not', (peer: Talker) => peer.send(pageRequest({ pid: 2 }))],
  ])('that %s counts as lost, and criu gets none of it', async (_, act) => {
    const { server, criu, ledger, departure, connectPeer } = await startPageServer();
    server.open(ledger);
    const destination = await connectPeer();
    await serves({ criu, destination });
    act(destination);
    await destination.ended;
    expect(await server.departed).toBe('lost');
    expect(departure()).toBe('lost');
    expect(criu.received).toHaveLength(32);
    expect(criu.socket.closed).toBe(false);
    server.fail();
    expect((await criu.receives(64)).subarray(32)).toEqual(FAILURE);
  });

  test('gets an answer to its close message, which criu gets only at finish()', async () => {
    const { server, criu, ledger, connectPeer } = await startPageServer({ pages: 1 });
    server.open(ledger);
    const destination = await connectPeer();
    await serves({ criu, destination });
    expect(ledger.missing).toBe(0);
    destination.send(CLOSE);
    expect(await server.departed).toBe('closed');
    await destination.ended;
    expect(destination.received.subarray(-4)).toEqual(closeAnswer());
    expect(criu.received).toHaveLength(32);
    server.finish();
    expect((await criu.receives(64)).subarray(32)).toEqual(closeMessage());
  });

  test('may close its connection at once if there are no pages', async () => {
    const { server, ledger, connectPeer } = await startPageServer({ pages: 0 });
    server.open(ledger);
    const destination = await connectPeer();
    destination.send(CLOSE);
    expect(await server.departed).toBe('closed');
    await destination.ended;
    expect(destination.received).toEqual(closeAnswer());
  });

  test('that is silent gets TCP keep-alive probes', async () => {
    const { server, address, port, criu, ledger, connectPeer } = await startPageServer();
    server.open(ledger);
    await serves({ criu, destination: await connectPeer() });
    const KEEP_ALIVE = '02';
    const timers = () => timersAt(inProc(address, port));
    await waitFor(async () => (await timers()).includes(KEEP_ALIVE), 'the keep-alive timer runs');
  });

  test('loses its connection if criu ends', async () => {
    const { server, criu, ledger, departure, connectPeer } = await startPageServer();
    server.open(ledger);
    const destination = await connectPeer();
    await serves({ criu, destination });
    criu.socket.destroy();
    await destination.ended;
    await server[Symbol.asyncDispose]();
    // The exit of criu tells why.
    expect(departure()).toBeUndefined();
  });
});

describe.each([false, true])(
  'a destination that has not read all answers, with TLS: %s',
  (withTls) => {
    const pages = 4096;

    /** A destination that has requested more than it reads. */
    async function behind() {
      const authority = withTls ? await Authority.create('Test authority') : undefined;
      const given = authority ? tls(authority, await authority.issue(HERE)) : {};
      const scene = await startPageServer({ pages, ...given });
      const { server, criu, ledger, connectPeer, connectTlsPeer } = scene;
      server.open(ledger);
      const ca = authority && (await readFile(authority.cert));
      const pems = authority && (await pemsOf(await authority.issue(HERE)));
      const destination = authority ? connectTlsPeer({ ca, ...pems }) : await connectPeer();
      await serves({ criu, destination });
      destination.socket.pause();
      for (let page = 1; page < pages; page++) {
        criu.send(pageAnswer({ start: page * native().pageSize }));
      }
      await waitFor(() => ledger.missing < pages - 100, 'answers wait to be read');
      return { ...scene, destination };
    }

    test.each([
      ['hangs up', ({ socket }: Talker) => socket.end()],
      ['breaks off', ({ socket }: Talker) => socket.destroy()],
      ['sends an unknown command', (peer: Talker) => peer.send(Buffer.alloc(32, 1))],
    ])('counts as lost if it %s, and criu can write the rest', async (_, act) => {
      const { server, criu, ledger, destination } = await behind();
      act(destination);
      destination.socket.resume();
      await destination.ended;
      expect(await server.departed).toBe('lost');
      expect(ledger.missing).toBeGreaterThan(0);
      server.fail();
      expect((await criu.receives(64)).subarray(32)).toEqual(FAILURE);
      await waitFor(() => criu.socket.writableLength === 0, 'all output of criu is read');
    });

    test('gets an answer to its close message', async () => {
      const { server, destination } = await behind();
      destination.send(CLOSE);
      expect(await server.departed).toBe('closed');
      destination.socket.resume();
      await destination.ended;
      expect(destination.received.subarray(-4)).toEqual(closeAnswer());
    });
  },
);

describe('TLS', () => {
  test('only a peer with a certificate of the authority is accepted', async () => {
    const [ours, theirs] = [await Authority.create('Ours'), await Authority.create('Theirs')];
    const { server, criu, ledger, connectPeer, connectTlsPeer } = await startPageServer({
      ...tls(ours, await ours.issue(HERE)),
    });
    server.open(ledger);
    const ca = await readFile(ours.cert);
    const silent = await connectPeer();
    const plain = await connectPeer();
    plain.send(pageRequest(), pageRequest());
    await plain.ended;
    const nobody = connectTlsPeer({ ca });
    nobody.send(pageRequest());
    await nobody.ended;
    const other = await theirs.issue(HERE);
    const another = connectTlsPeer({ ca, ...(await pemsOf(other)) });
    another.send(pageRequest());
    await another.ended;
    expect(criu.received).toHaveLength(0);

    const destination = connectTlsPeer({ ca, ...(await pemsOf(await ours.issue(HERE))) });
    await serves({ criu, destination });
    await silent.ended;
    expect(destination.socket.closed).toBe(false);
    expect(nobody.received.length + another.received.length + plain.received.length).toBeLessThan(
      32,
    );
  });

  // The handshake may take longer than this test.
  test('a peer in the middle of its handshake does not delay the close of the server', {
    timeout: 8000,
  }, async () => {
    const authority = await Authority.create('Test authority');
    const { server, ledger, connectPeer } = await startPageServer({
      ...tls(authority, await authority.issue(HERE)),
    });
    server.open(ledger);
    const silent = await connectPeer();
    await server[Symbol.asyncDispose]();
    await silent.ended;
  });

  test.each(['ca', 'cert', 'key', 'crl'] as const)(
    'a missing file of tls.%s is refused',
    async (name) => {
      const authority = await Authority.create('Test authority');
      const given = tls(authority, await authority.issue(HERE)).tls;
      const error = await failureOf(startPageServer({ tls: { ...given, [name]: '/nowhere.pem' } }));
      expect(error).toMatchObject({
        code: 'ERR_CRIU_INVALID_ARGUMENT',
        option: `tls.${name}`,
        message: expect.stringContaining('/nowhere.pem'),
      });
    },
  );

  test('the error names the first of several wrong files', async () => {
    const files = { ca: '/no/ca.pem', cert: '/no/cert.pem', key: '/no/key.pem' };
    expect(await failureOf(startPageServer({ tls: files }))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'tls.ca',
    });
  });

  test('a key that belongs to another certificate is refused', async () => {
    const authority = await Authority.create('Test authority');
    const [one, two] = [await authority.issue(HERE), await authority.issue(HERE)];
    const given = tls(authority, { cert: one.cert, key: two.key });
    expect(await failureOf(startPageServer(given))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'tls.key',
    });
  });
});

test('the server survives a connection that it could not accept', async () => {
  const listen = vi.spyOn(Server.prototype, 'listen');
  onTestFinished(() => listen.mockRestore());
  const { server, criu, ledger, connectPeer } = await startPageServer();
  const [netServer] = listen.mock.contexts as Server[];
  for (let tries = 0; tries < 2; tries++) {
    netServer?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  }
  server.open(ledger);
  await serves({ criu, destination: await connectPeer() });
});

describe('after its end', () => {
  test('a server without a connection leaves nothing behind', async () => {
    const before = await holdings();
    const { server, criu, ledger, connectPeer } = await startPageServer();
    server.open(ledger);
    const waiting = await connectPeer();
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await Promise.all([waiting.ended, criu.ended]);
    expect(await holdings()).toEqual(before);
  });

  test('a server whose port is in use fails and leaves nothing behind', async () => {
    const { port } = await listening();
    const before = await holdings();
    const at = { address: '127.0.0.1', port };
    const takeLocalFd = () => expect.unreachable('the server does not listen');
    const failure = await failureOf(LazyPageServer.listen('lazyDump', takeLocalFd, at, undefined));
    expect(failure).toMatchObject({
      code: 'ERR_CRIU_SYSTEM',
      operation: 'lazyDump',
      errno: 98,
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    expect(await holdings()).toEqual(before);
  });
});

/** The destination requests the first page, and gets it from criu. */
async function serves({ criu, destination }: { criu: Talker; destination: Talker }): Promise<void> {
  destination.send(pageRequest());
  expect(await criu.receives(32)).toEqual(pageRequest());
  criu.send(pageAnswer());
  const answer = pageAnswer();
  expect((await destination.receives(answer.length)).equals(answer)).toBe(true);
}

/** The contents of the files of a certificate. */
async function pemsOf({ cert, key }: Certificate): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await readFile(cert), key: await readFile(key) };
}

test('rateLimit limits the bytes per second to a given destination', async () => {
  const rateLimit = 100_000;
  const [localFd, criuFd] = native().streamPair(1 << 20);
  native().release(criuFd);
  const criu = new Talker(new Socket({ fd: criuFd, readable: true, writable: true }));
  const [peer, other] = await connection();
  const destination = new Talker(other);
  other.resume();
  const server = LazyPageServer.over(localFd, peer, new RateLimit(rateLimit));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const pages = 30;
  server.open(new PageLedger(new Map([[1, [{ start: 0, end: pages * native().pageSize }]]])));
  destination.send(pageRequest({ count: pages }));
  await criu.receives(32);
  const start = performance.now();
  const answer = pageAnswer({ count: pages });
  criu.send(answer);
  expect((await destination.receives(answer.length)).equals(answer)).toBe(true);
  // The last chunk, a tenth of a second's worth, arrives before its time is over, and unused time counts.
  expect(performance.now() - start).toBeGreaterThan((answer.length / rateLimit - 0.15) * 1000);
});
