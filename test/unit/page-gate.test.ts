import { readFile } from 'node:fs/promises';
import { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { native } from '../../src/native/index.ts';
import { LazyPageServer } from '../../src/postcopy/lazy-page-server.ts';
import { PageLedger } from '../../src/postcopy/page-ledger.ts';
import { farewell, leave } from '../../src/postcopy/page-protocol.ts';
import { Authority, type Certificate, HERE, tls } from '../helpers/certificates.ts';
import { failureOf } from '../helpers/failures.ts';
import { holdings } from '../helpers/own-resources.ts';
import { commands, pageAnswer, pageMessage, pageRequest } from '../helpers/page-messages.ts';
import { door, Talker } from '../helpers/page-server-peer.ts';
import { connection, inProc, listening, timersAt } from '../helpers/sockets.ts';
import { waitFor } from '../helpers/workload.ts';

const CLOSE = pageMessage(commands.close);
const FAILURE = Buffer.alloc(32);

describe('strangers', () => {
  const strangers: readonly (readonly [string, (stranger: Talker) => void])[] = [
    ['hangs up', ({ socket }) => socket.end()],
    ['breaks off', ({ socket }) => socket.resetAndDestroy()],
    ['says half a request and hangs up', ({ socket }) => socket.end(pageRequest().subarray(0, 31))],
    ['sends rubbish', (stranger) => stranger.say(Buffer.from('GET / HTTP/1.1\r\n'.repeat(4)))],
    ['says that all is over', (stranger) => stranger.say(CLOSE)],
    ['forces the end', (stranger) => stranger.say(pageMessage(commands.forceClose))],
    ['brings pages', (stranger) => stranger.say(pageAnswer())],
  ];

  test.each(strangers)('one that %s is shown out, and the destination served', async (_, act) => {
    const { gate, criu, ledger, departure, knock } = await door();
    gate.open(ledger);
    const stranger = await knock();
    act(stranger);
    await stranger.ended;
    expect(stranger.heard).toHaveLength(0);
    await serves({ criu, destination: await knock() });
    expect(gate.taken).toBe(true);
    expect(departure()).toBeUndefined();
  });

  test.each(strangers)('one that %s before criu is ready is, too', async (_, act) => {
    const { gate, criu, ledger, knock } = await door();
    const stranger = await knock();
    act(stranger);
    const destination = await knock();
    gate.open(ledger);
    await stranger.ended;
    await serves({ criu, destination });
  });

  test('one that says nothing keeps nobody out, and has to go when the destination is known', async () => {
    const { gate, criu, ledger, knock } = await door();
    gate.open(ledger);
    const stranger = await knock();
    await serves({ criu, destination: await knock() });
    await stranger.ended;
    expect(stranger.heard).toHaveLength(0);
  });

  test('no more than a few can wait', async () => {
    const { gate, criu, ledger, knock } = await door();
    gate.open(ledger);
    const crowd = await Promise.all(Array.from(Array(20), knock));
    await waitFor(() => crowd.filter(({ socket }) => socket.closed).length === 4, '4 are sent off');
    for (const { socket } of crowd) socket.destroy();
    await sleep(10);
    const served = async () => {
      const destination = await knock();
      destination.say(pageRequest());
      await Promise.race([destination.ended, waitFor(() => criu.heard.length > 0, 'criu hears')]);
      return criu.heard.length > 0;
    };
    await waitFor(served, 'there is room again');
  });

  test('nobody gets in when the source is given up', async () => {
    const { gate, criu, ledger, knock } = await door();
    gate.open(ledger);
    const waiting = await knock();
    gate.giveUp();
    await waiting.ended;
    await expect(knock()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await criu.hears(32)).toEqual(FAILURE);
    expect(gate.taken).toBe(false);
  });
});

describe('the destination', () => {
  test('nobody else gets in beside it', async () => {
    const { gate, criu, ledger, knock } = await door();
    gate.open(ledger);
    await serves({ criu, destination: await knock() });
    await expect(knock()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('of two that speak at once one is served', async () => {
    const { gate, criu, ledger, knock } = await door();
    const both = [await knock(), await knock()];
    for (const one of both) one.say(pageRequest());
    gate.open(ledger);
    await Promise.race(both.map(({ ended }) => ended));
    expect(await criu.hears(32)).toEqual(pageRequest());
    criu.say(pageAnswer());
    const [kept, ...more] = both.filter(({ socket }) => !socket.closed);
    expect(more).toEqual([]);
    expect(await kept?.hears(32 + native().pageSize)).toEqual(pageAnswer());
  });

  test('what it has said before criu is ready is asked of criu afterwards', async () => {
    const { gate, criu, ledger, knock } = await door();
    const destination = await knock();
    destination.say(pageRequest(), pageRequest({ start: 4096 }));
    await sleep(10);
    expect(criu.heard).toHaveLength(0);
    gate.open(ledger);
    expect(await criu.hears(64)).toEqual(
      Buffer.concat([pageRequest(), pageRequest({ start: 4096 })]),
    );
  });

  test.each([
    ['hangs up', ({ socket }: Talker) => socket.end()],
    ['breaks off', ({ socket }: Talker) => socket.resetAndDestroy()],
    ['talks nonsense', (peer: Talker) => peer.say(Buffer.alloc(32, 1))],
  ])('one that %s is cut off, and criu hears nothing of it', async (_, act) => {
    const { gate, criu, ledger, departure, knock } = await door();
    gate.open(ledger);
    const destination = await knock();
    await serves({ criu, destination });
    act(destination);
    await destination.ended;
    expect(await gate.departed).toBe('cut');
    expect(departure()).toBe('cut');
    expect(criu.heard).toHaveLength(32);
    expect(criu.socket.closed).toBe(false);
    gate.giveUp();
    expect((await criu.hears(64)).subarray(32)).toEqual(FAILURE);
  });

  test('one that takes leave gets a farewell, and criu hears nothing before finish()', async () => {
    const { gate, criu, ledger, knock } = await door({ pages: 1 });
    gate.open(ledger);
    const destination = await knock();
    await serves({ criu, destination });
    expect(ledger.missing).toBe(0);
    destination.say(CLOSE);
    expect(await gate.departed).toBe('left');
    await destination.ended;
    expect(destination.heard.subarray(-4)).toEqual(farewell());
    expect(criu.heard).toHaveLength(32);
    gate.finish();
    expect((await criu.hears(64)).subarray(32)).toEqual(leave());
  });

  test('one may take leave at once if there are no pages', async () => {
    const { gate, ledger, knock } = await door({ pages: 0 });
    gate.open(ledger);
    const destination = await knock();
    destination.say(CLOSE);
    expect(await gate.departed).toBe('left');
    await destination.ended;
    expect(destination.heard).toEqual(farewell());
  });

  test('one that is silent is asked whether it is there', async () => {
    const { gate, criu, ledger, knock } = await door();
    gate.open(ledger);
    await serves({ criu, destination: await knock() });
    const KEEP_ALIVE = '02';
    const timers = () => timersAt(inProc(gate.address, gate.port));
    await waitFor(async () => (await timers()).includes(KEEP_ALIVE), 'its timer runs');
  });

  test('if criu ends, the destination is told by the end of the connection', async () => {
    const { gate, criu, ledger, departure, knock } = await door();
    gate.open(ledger);
    const destination = await knock();
    await serves({ criu, destination });
    criu.socket.destroy();
    await destination.ended;
    await gate[Symbol.asyncDispose]();
    // Whose fault it was has to be told by criu.
    expect(departure()).toBeUndefined();
  });
});

describe.each([false, true])('a destination with answers on the way, with TLS: %s', (withTls) => {
  const pages = 4096;

  /** It has asked for more than it reads. */
  async function behind() {
    const authority = withTls ? await Authority.create('Test authority') : undefined;
    const given = authority ? tls(authority, await authority.issue(HERE)) : {};
    const scene = await door({ pages, ...given });
    const { gate, criu, ledger, knock, knockWith } = scene;
    gate.open(ledger);
    const ca = authority && (await readFile(authority.cert));
    const pems = authority && (await pemsOf(await authority.issue(HERE)));
    const destination = authority ? knockWith({ ca, ...pems }) : await knock();
    await serves({ criu, destination });
    destination.socket.pause();
    for (let page = 1; page < pages; page++) {
      criu.say(pageAnswer({ start: page * native().pageSize }));
    }
    await waitFor(() => ledger.missing < pages - 100, 'answers are on the way');
    return { ...scene, destination };
  }

  test.each([
    ['hangs up', ({ socket }: Talker) => socket.end()],
    ['breaks off', ({ socket }: Talker) => socket.destroy()],
    ['talks nonsense', (peer: Talker) => peer.say(Buffer.alloc(32, 1))],
  ])('is cut off if it %s, and criu gets rid of the rest', async (_, act) => {
    const { gate, criu, ledger, destination } = await behind();
    act(destination);
    destination.socket.resume();
    await destination.ended;
    expect(await gate.departed).toBe('cut');
    expect(ledger.missing).toBeGreaterThan(0);
    gate.giveUp();
    expect((await criu.hears(64)).subarray(32)).toEqual(FAILURE);
    await waitFor(() => criu.socket.writableLength === 0, 'criu is heard out');
  });

  test('gets its farewell if it takes leave', async () => {
    const { gate, destination } = await behind();
    destination.say(CLOSE);
    expect(await gate.departed).toBe('left');
    destination.socket.resume();
    await destination.ended;
    expect(destination.heard.subarray(-4)).toEqual(farewell());
  });
});

describe('TLS', () => {
  test('only who has a certificate of the authority gets in', async () => {
    const [ours, theirs] = [await Authority.create('Ours'), await Authority.create('Theirs')];
    const { gate, criu, ledger, knock, knockWith } = await door({
      ...tls(ours, await ours.issue(HERE)),
    });
    gate.open(ledger);
    const ca = await readFile(ours.cert);
    const silent = await knock();
    const plain = await knock();
    plain.say(pageRequest(), pageRequest());
    await plain.ended;
    const nobody = knockWith({ ca });
    nobody.say(pageRequest());
    await nobody.ended;
    const other = await theirs.issue(HERE);
    const another = knockWith({ ca, ...(await pemsOf(other)) });
    another.say(pageRequest());
    await another.ended;
    expect(criu.heard).toHaveLength(0);

    const destination = knockWith({ ca, ...(await pemsOf(await ours.issue(HERE))) });
    await serves({ criu, destination });
    await silent.ended;
    expect(destination.socket.closed).toBe(false);
    expect(nobody.heard.length + another.heard.length + plain.heard.length).toBeLessThan(32);
  });

  // The handshake may take longer than this test.
  test('who is in the middle of a handshake does not keep the gate from closing', {
    timeout: 8000,
  }, async () => {
    const authority = await Authority.create('Test authority');
    const { gate, ledger, knock } = await door({
      ...tls(authority, await authority.issue(HERE)),
    });
    gate.open(ledger);
    const silent = await knock();
    await gate[Symbol.asyncDispose]();
    await silent.ended;
  });

  test.each(['ca', 'cert', 'key', 'crl'] as const)(
    'without the file of tls.%s nothing listens',
    async (name) => {
      const authority = await Authority.create('Test authority');
      const given = tls(authority, await authority.issue(HERE)).tls;
      const error = await failureOf(door({ tls: { ...given, [name]: '/nowhere.pem' } }));
      expect(error).toMatchObject({
        code: 'ERR_CRIU_INVALID_ARGUMENT',
        option: `tls.${name}`,
        message: expect.stringContaining('/nowhere.pem'),
      });
    },
  );

  test('of several files that are wrong the first is named', async () => {
    const files = { ca: '/no/ca.pem', cert: '/no/cert.pem', key: '/no/key.pem' };
    expect(await failureOf(door({ tls: files }))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'tls.ca',
    });
  });

  test('a key of another certificate is refused', async () => {
    const authority = await Authority.create('Test authority');
    const [one, two] = [await authority.issue(HERE), await authority.issue(HERE)];
    const given = tls(authority, { cert: one.cert, key: two.key });
    expect(await failureOf(door(given))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'tls',
    });
  });
});

test('a connection that could not be accepted does not end the gate', async () => {
  const listen = vi.spyOn(Server.prototype, 'listen');
  onTestFinished(() => listen.mockRestore());
  const { gate, criu, ledger, knock } = await door();
  const [server] = listen.mock.contexts as Server[];
  for (let tries = 0; tries < 2; tries++) {
    server?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  }
  gate.open(ledger);
  await serves({ criu, destination: await knock() });
});

describe('the end', () => {
  test('nothing is left of a gate that nobody came to', async () => {
    const before = await holdings();
    const { gate, criu, ledger, knock } = await door();
    gate.open(ledger);
    const waiting = await knock();
    await gate[Symbol.asyncDispose]();
    await gate[Symbol.asyncDispose]();
    await Promise.all([waiting.ended, criu.ended]);
    expect(await holdings()).toEqual(before);
  });

  test('a port that is taken is told, and nothing is left', async () => {
    const { port } = await listening();
    const before = await holdings();
    const at = { address: '127.0.0.1', port };
    const near = () => expect.unreachable('it does not listen');
    const failure = await failureOf(LazyPageServer.listen('lazyDump', near, at, undefined));
    expect(failure).toMatchObject({
      code: 'ERR_CRIU_SYSTEM',
      operation: 'lazyDump',
      errno: 98,
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    expect(await holdings()).toEqual(before);
  });
});

/** The destination asks for the first page, and criu gives it. */
async function serves({ criu, destination }: { criu: Talker; destination: Talker }): Promise<void> {
  destination.say(pageRequest());
  expect(await criu.hears(32)).toEqual(pageRequest());
  criu.say(pageAnswer());
  const answer = pageAnswer();
  expect((await destination.hears(answer.length)).equals(answer)).toBe(true);
}

/** The contents of a certificate's files. */
async function pemsOf({ cert, key }: Certificate): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await readFile(cert), key: await readFile(key) };
}

test('to a destination that it is given, no more goes in a second than the limit', async () => {
  const rateLimit = 100_000;
  const [near, far] = native().streamPair(1 << 20);
  native().release(far);
  const criu = new Talker(new Socket({ fd: far, readable: true, writable: true }));
  const [peer, other] = await connection();
  const destination = new Talker(other);
  other.resume();
  const gate = LazyPageServer.over(near, peer, rateLimit);
  onTestFinished(() => gate[Symbol.asyncDispose]());
  const pages = 30;
  gate.open(new PageLedger(new Map([[1, [{ start: 0, end: pages * native().pageSize }]]])));
  destination.say(pageRequest({ count: pages }));
  await criu.hears(32);
  const start = performance.now();
  const answer = pageAnswer({ count: pages });
  criu.say(answer);
  expect((await destination.hears(answer.length)).equals(answer)).toBe(true);
  // The last piece comes before its time is over: a tenth of a second at most.
  expect(performance.now() - start).toBeGreaterThan((answer.length / rateLimit - 0.1) * 1000);
});
