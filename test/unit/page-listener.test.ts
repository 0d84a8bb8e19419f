import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Credentials, readCredentials } from '../../src/migration/protocol/credentials.ts';
import {
  connectPages,
  PageListener,
  TOKEN_SIZE,
} from '../../src/migration/protocol/page-listener.ts';
import { PendingConnections } from '../../src/migration/protocol/pending-connections.ts';
import { Authority, ELSEWHERE, HERE } from '../helpers/certificates.ts';
import { waitFor } from '../helpers/workload.ts';

const host = '127.0.0.1';
const never = new AbortController().signal;

describe('a page listener', () => {
  test('accepts a connection with the token, and passes on what follows it', async () => {
    const { accepted, open } = await startListener();
    const socket = await open();
    socket.write('pages');
    const [peer] = accepted;
    expect(String(((await once(peer as Socket, 'data')) as [Buffer])[0])).toBe('pages');
  });

  test('accepts a token that arrives in pieces, with pages right behind it', async () => {
    const { listener, token, accepted } = await startListener();
    const { socket, received } = await connectRaw(listener.port);
    socket.setNoDelay(true);
    for (const byte of token.subarray(0, -1)) {
      socket.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect(accepted).toHaveLength(0);
    socket.write(Buffer.concat([token.subarray(-1), Buffer.from('pages')]));
    await waitFor(() => accepted.length === 1 && received.length === 1, 'the welcome arrives');
    await waitFor(() => String(accepted[0]?.read(5)) === 'pages', 'the pages arrive');
  });

  test('rejects a wrong token', async () => {
    const { token, accepted, open } = await startListener();
    const wrong = Buffer.from(token);
    wrong[TOKEN_SIZE - 1] = (wrong[TOKEN_SIZE - 1] ?? 0) ^ 1;
    await expect(open(wrong)).rejects.toThrow();
    await open();
    expect(accepted).toHaveLength(1);
  });

  test('accepts a token once', async () => {
    const { accepted, open } = await startListener();
    await open();
    await expect(open()).rejects.toThrow();
    expect(accepted).toHaveLength(1);
  });

  test('rejects a token that was withdrawn', async () => {
    const { accepted, withdraw, open } = await startListener();
    withdraw();
    await expect(open()).rejects.toThrow();
    expect(accepted).toHaveLength(0);
  });

  test('serves others while a connection sends no token, and destroys that when it closes', async () => {
    const { listener, token, accepted, open } = await startListener();
    const silent = await connectRaw(listener.port);
    const half = await connectRaw(listener.port);
    half.socket.write(token.subarray(0, TOKEN_SIZE / 2));
    (await open()).destroy();
    expect(accepted).toHaveLength(1);
    const closed = Promise.all([silent, half].map(({ socket }) => once(socket, 'close')));
    for (const peer of accepted) peer.destroy();
    await listener[Symbol.asyncDispose]();
    await closed;
    expect([...silent.received, ...half.received]).toEqual([]);
  });

  test('with certificates, accepts only certificates of its authority', async () => {
    const [ours, theirs] = await Promise.all([issue('ours'), issue('theirs')]);
    const { accepted, open } = await startListener(ours);
    await expect(open(undefined, theirs)).rejects.toThrow();
    await expect(open(undefined, { ...theirs, ca: ours.ca })).rejects.toThrow();
    expect(accepted).toHaveLength(0);
    await open();
    expect(accepted).toHaveLength(1);
  });
});

describe('connections without a token', () => {
  test.each([undefined, 'with certificates'])('are limited in number: %s', async (isSecure) => {
    const { listener, open } = await startListener(isSecure ? await issue('ours') : undefined);
    const silent: Awaited<ReturnType<typeof connectRaw>>[] = [];
    for (let count = 0; count < 70; count++) silent.push(await connectRaw(listener.port));
    await waitFor(
      () => silent.slice(0, 6).every(({ socket }) => socket.closed),
      'the oldest are closed',
    );
    expect(silent.slice(6).some(({ socket }) => socket.closed)).toBe(false);
    await open();
  });

  test('are limited in time', async () => {
    const pending = new PendingConnections(50);
    const listener = await PageListener.listen(host, 0, undefined, { pending });
    onTestFinished(() => listener[Symbol.asyncDispose]());
    const { socket } = await connectRaw(listener.port);
    await once(socket, 'close');
  });
});

describe('connectPages', () => {
  test('refuses a listener whose certificate is for another host', async () => {
    const authority = await Authority.create('the hosts');
    const issueFor = async (address: string) => {
      const tls = { ca: authority.cert, ...(await authority.issue(address)) };
      return (await readCredentials('migrate', host, tls, undefined)) as Credentials;
    };
    const [ours, theirs] = [await issueFor(HERE), await issueFor(ELSEWHERE)];
    const { accepted, open } = await startListener(theirs);
    await expect(open(undefined, ours)).rejects.toThrow("does not match certificate's altnames");
    expect(accepted).toHaveLength(0);
  });

  test('can be aborted', async () => {
    const { listener } = await startListener();
    const controller = new AbortController();
    // The listener waits for the rest of a token that is too short.
    const short = Buffer.alloc(1);
    const endpoint = { host, port: listener.port };
    const connecting = connectPages(endpoint, undefined, short, controller.signal);
    controller.abort();
    await expect(connecting).rejects.toThrow('the connection was aborted');
    const again = connectPages(endpoint, undefined, short, controller.signal);
    await expect(again).rejects.toThrow('aborted');
  });

  test('handles an error that comes before its caller listens for one', async () => {
    const { accepted, open } = await startListener();
    const socket = await open();
    accepted[0]?.resetAndDestroy();
    // Without a listener the error would end this process.
    await waitFor(() => socket.destroyed, 'the socket closes');
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
  });
});

async function startListener(credentials?: Credentials) {
  const listener = await PageListener.listen(host, 0, credentials);
  onTestFinished(() => listener[Symbol.asyncDispose]());
  const token = randomBytes(TOKEN_SIZE);
  const accepted: Socket[] = [];
  const withdraw = listener.expect(token, (peer) => {
    accepted.push(peer);
    onTestFinished(() => void peer.destroy());
  });
  const open = async (withToken = token, as = credentials) => {
    const socket = await connectPages({ host, port: listener.port }, as, withToken, never);
    onTestFinished(() => void socket.destroy());
    return socket;
  };
  return { listener, token, accepted, withdraw, open };
}

/** Connects without a token. */
async function connectRaw(port: number): Promise<{ socket: Socket; received: Buffer[] }> {
  const socket = connect({ host, port });
  onTestFinished(() => void socket.destroy());
  const received: Buffer[] = [];
  socket.on('data', (data) => received.push(data)).on('error', () => {});
  await once(socket, 'connect');
  return { socket, received };
}

async function issue(name: string): Promise<Credentials> {
  const authority = await Authority.create(name);
  const tls = { ca: authority.cert, ...(await authority.issue(HERE)) };
  return (await readCredentials('migrate', host, tls, undefined)) as Credentials;
}
