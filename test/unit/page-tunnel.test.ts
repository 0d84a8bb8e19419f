import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Credentials } from '../../src/migration/protocol/credentials.ts';
import { readCredentials } from '../../src/migration/protocol/credentials.ts';
import {
  connectPages,
  PageDoor,
  PageTunnel,
  TOKEN_SIZE,
} from '../../src/migration/protocol/page-tunnel.ts';
import { Authority, ELSEWHERE, HERE } from '../helpers/certificates.ts';
import { connection } from '../helpers/sockets.ts';
import { waitFor } from '../helpers/workload.ts';

const here = '127.0.0.1';
const never = new AbortController().signal;

async function openDoor(credentials?: Credentials) {
  const door = await PageDoor.listen(here, 0, credentials);
  onTestFinished(() => door[Symbol.asyncDispose]());
  const token = randomBytes(TOKEN_SIZE);
  const arrived: Socket[] = [];
  const stop = door.expect(token, (peer) => {
    arrived.push(peer);
    onTestFinished(() => void peer.destroy());
  });
  const knock = async (with_ = token, as = credentials) => {
    const socket = await connectPages({ host: here, port: door.port }, as, with_, never);
    onTestFinished(() => void socket.destroy());
    return socket;
  };
  return { door, token, arrived, stop, knock };
}

async function stranger(port: number): Promise<{ socket: Socket; heard: Buffer[] }> {
  const socket = connect({ host: here, port });
  onTestFinished(() => void socket.destroy());
  const heard: Buffer[] = [];
  socket.on('data', (data) => heard.push(data)).on('error', () => {});
  await once(socket, 'connect');
  return { socket, heard };
}

describe('the door', () => {
  test('lets in who has the token, and what comes behind it', async () => {
    const { arrived, knock } = await openDoor();
    const socket = await knock();
    socket.write('pages');
    const [peer] = arrived;
    expect(String(((await once(peer as Socket, 'data')) as [Buffer])[0])).toBe('pages');
  });

  test('takes a token in pieces, with pages right behind it', async () => {
    const { door, token, arrived } = await openDoor();
    const { socket, heard } = await stranger(door.port);
    socket.setNoDelay(true);
    for (const byte of token.subarray(0, -1)) {
      socket.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect(arrived).toHaveLength(0);
    socket.write(Buffer.concat([token.subarray(-1), Buffer.from('pages')]));
    await waitFor(() => arrived.length === 1 && heard.length === 1, 'the welcome comes');
    await waitFor(() => String(arrived[0]?.read(5)) === 'pages', 'the pages come');
  });

  test('shows out who has a wrong token', async () => {
    const { token, arrived, knock } = await openDoor();
    const wrong = Buffer.from(token);
    wrong[TOKEN_SIZE - 1] = (wrong[TOKEN_SIZE - 1] ?? 0) ^ 1;
    await expect(knock(wrong)).rejects.toThrow();
    await knock();
    expect(arrived).toHaveLength(1);
  });

  test('is not taken for one of another host of the authority', async () => {
    const authority = await Authority.create('the hosts');
    const of = async (where: string) => {
      const tls = { ca: authority.cert, ...(await authority.issue(where)) };
      return (await readCredentials('migrate', here, tls, undefined)) as Credentials;
    };
    const [ours, theirs] = [await of(HERE), await of(ELSEWHERE)];
    const { arrived, knock } = await openDoor(theirs);
    await expect(knock(undefined, ours)).rejects.toThrow("does not match certificate's altnames");
    expect(arrived).toHaveLength(0);
  });

  test('takes a token once', async () => {
    const { arrived, knock } = await openDoor();
    await knock();
    await expect(knock()).rejects.toThrow();
    expect(arrived).toHaveLength(1);
  });

  test('takes no token that is expected no more', async () => {
    const { arrived, stop, knock } = await openDoor();
    stop();
    await expect(knock()).rejects.toThrow();
    expect(arrived).toHaveLength(0);
  });

  test('keeps nobody waiting for one that says nothing, and shows that out when it closes', async () => {
    const { door, token, arrived, knock } = await openDoor();
    const silent = await stranger(door.port);
    const half = await stranger(door.port);
    half.socket.write(token.subarray(0, TOKEN_SIZE / 2));
    (await knock()).destroy();
    expect(arrived).toHaveLength(1);
    const closed = Promise.all([silent, half].map(({ socket }) => once(socket, 'close')));
    for (const peer of arrived) peer.destroy();
    await door[Symbol.asyncDispose]();
    await closed;
    expect([...silent.heard, ...half.heard]).toEqual([]);
  });

  test('with certificates, lets in only who has one of the authority', async () => {
    const [ours, theirs] = await Promise.all([issued('ours'), issued('theirs')]);
    const { arrived, knock } = await openDoor(ours);
    await expect(knock(undefined, theirs)).rejects.toThrow();
    await expect(knock(undefined, { ...theirs, ca: ours.ca })).rejects.toThrow();
    expect(arrived).toHaveLength(0);
    await knock();
    expect(arrived).toHaveLength(1);
  });
});

test('to connect can be aborted', async () => {
  const { door } = await openDoor();
  const aborted = new AbortController();
  // One that is never answered: its token is short.
  const short = Buffer.alloc(1);
  const place = { host: here, port: door.port };
  const connecting = connectPages(place, undefined, short, aborted.signal);
  aborted.abort();
  await expect(connecting).rejects.toThrow('it was aborted');
  await expect(connectPages(place, undefined, short, aborted.signal)).rejects.toThrow('aborted');
});

test('a connection may be cut before anybody looks at it', async () => {
  const { arrived, knock } = await openDoor();
  const socket = await knock();
  arrived[0]?.resetAndDestroy();
  // An error that nobody listens to would end this process.
  await waitFor(() => socket.destroyed, 'it is closed');
  expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
});

describe('a tunnel', () => {
  test('carries bytes both ways, counts them, and ends with its peer', async () => {
    const { tunnel, peer } = await echo({ stallMs: 60_000 });
    const pages = randomBytes(3 << 20);
    const echoed = taken(peer, pages.length);
    peer.write(pages);
    expect((await echoed).equals(pages)).toBe(true);
    expect(tunnel.sent).toBe(pages.length);
    peer.end();
    expect(await tunnel.closed).toBeUndefined();
  });

  test.each(['far', 'near'] as const)(
    'keeps its %s end for who uses it when it is closed: the number may be that of another descriptor then',
    async (end) => {
      const { tunnel, peer, ended } = await echo({ stallMs: 60_000 });
      await tunnel[end].lend(async (fd) => {
        const socket = await readlink(`/proc/self/fd/${fd}`);
        peer.resetAndDestroy();
        await tunnel.closed;
        expect(await readlink(`/proc/self/fd/${fd}`)).toBe(socket);
        await expect(tunnel[end].lend(async () => {})).rejects.toThrow('ECONNRESET');
        // Whoever has the other one hears of it all the same.
        await ended;
      });
    },
  );

  test('tells why it ended', async () => {
    const { tunnel, peer } = await echo({ stallMs: 60_000 });
    peer.resetAndDestroy();
    expect(await tunnel.closed).toMatchObject({ code: 'ECONNRESET' });
  });

  test('ends when nothing moves', async () => {
    const { tunnel, peer } = await echo({ stallMs: 1000 });
    // More than all buffers take, and nobody takes it from the last one.
    peer.write(Buffer.alloc(64 << 20));
    expect(await tunnel.closed).toMatchObject({ message: 'nothing has moved for 1000 ms' });
  });

  test('does not end because there is nothing to send', async () => {
    const { tunnel, peer } = await echo({ stallMs: 1 });
    // It looks every half a second.
    const quiet = new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await Promise.race([tunnel.closed.then(() => 'ended'), quiet])).toBeUndefined();
    const echoed = taken(peer, 5);
    peer.write('still');
    expect(String(await echoed)).toBe('still');
  });

  test('lets no more through than its limit', async () => {
    const rateLimit = 200_000;
    const { peer } = await echo({ stallMs: 60_000, rateLimit });
    const start = performance.now();
    let [received, ahead] = [0, 0];
    peer.on('data', (data: Buffer) => {
      received += data.length;
      ahead = Math.max(ahead, received - ((performance.now() - start) / 1000) * rateLimit);
    });
    peer.resume().write(Buffer.alloc(300_000));
    await waitFor(() => received === 300_000, 'all of it comes');
    // Each piece goes before its time is over.
    expect(ahead).toBeLessThan(rateLimit / 5);
  });
});

/** A tunnel to a process that gives back what it gets, in place of criu. */
async function echo(options: { stallMs: number; rateLimit?: number }) {
  const [peer, far] = await connection();
  const tunnel = new PageTunnel(far, options);
  const cat = await tunnel.far.lend(async (fd) => spawn('cat', { stdio: [fd, fd, 'inherit'] }));
  const ended = once(cat, 'exit');
  onTestFinished(async () => {
    tunnel[Symbol.dispose]();
    await ended;
  });
  return { tunnel, peer, ended };
}

async function taken(from: Socket, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  from.on('data', (data: Buffer) => {
    length += pieces.push(data) && data.length;
  });
  from.resume();
  await waitFor(() => length >= size, `${size} bytes come`);
  return Buffer.concat(pieces);
}

async function issued(name: string): Promise<Credentials> {
  const authority = await Authority.create(name);
  const tls = { ca: authority.cert, ...(await authority.issue(HERE)) };
  return (await readCredentials('migrate', here, tls, undefined)) as Credentials;
}
