import { fstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Cancellation } from '../../src/concurrency/cancellation.ts';
import type { CriuError } from '../../src/errors.ts';
import { native } from '../../src/native/index.ts';
import { CriuSession } from '../../src/operations/session.ts';
import type { Hooks } from '../../src/options/hooks.ts';
import { callHooks } from '../../src/protocol/hooks.ts';
import type { CriuRequest, CriuResponse } from '../../src/protocol/messages.ts';
import { Session } from '../../src/protocol/session.ts';
import { failureOf } from '../helpers/failures.ts';
import { memoryPeer, type Peer, socketPeer } from '../helpers/scripted-peer.ts';

const dump: CriuRequest = { type: 'DUMP', opts: { images_dir_fd: 5, pid: 12 } };
const done: CriuResponse = { type: 'DUMP', success: true };
const failed: CriuResponse = { type: 'DUMP', success: false, cr_errno: 3 };
const agreed: CriuRequest = { type: 'NOTIFY', notify_success: true };
const refused: CriuRequest = { type: 'NOTIFY', notify_success: false };
const notification = (script: string, pid?: number): CriuResponse => ({
  type: 'NOTIFY',
  success: true,
  notify: pid === undefined ? { script } : { script, pid },
});

/** Starts a DUMP, which the peer has read. */
async function dumping(peer: Peer, hooks: Hooks = {}, cancellation?: Cancellation) {
  const session = new Session(peer.channel);
  const outcome = session.exchange(dump, {
    onNotification: callHooks(hooks, '/images'),
    cancellation,
  });
  outcome.catch(() => {});
  expect(await peer.request()).toEqual(dump);
  return { session, outcome };
}

/** A cancellation, and the function that triggers it. */
function cancellable(gracePeriodMs?: number) {
  const controller = new AbortController();
  const cancellation = new Cancellation('dump', { signal: controller.signal, gracePeriodMs });
  onTestFinished(() => cancellation[Symbol.dispose]());
  return { cancellation, abort: () => controller.abort() };
}

/** A hook that settles when the test says so. */
function pendingHook() {
  let settle: { resolve(): void; reject(error: Error): void };
  const answer = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const hook = vi.fn(() => answer);
  return {
    hook,
    called: () => vi.waitFor(() => expect(hook).toHaveBeenCalled()),
    resolve: () => settle.resolve(),
    reject: (error: Error) => settle.reject(error),
  };
}

describe.each([
  ['in memory', memoryPeer],
  ['on a socket', socketPeer],
])('a session %s', (_, peerOf) => {
  test('sends a request and resolves with the reply, whether it reports success or failure', async () => {
    const peer = peerOf();
    const first = await dumping(peer);
    peer.send(done);
    expect(await first.outcome).toEqual({ reply: done, refusal: undefined });

    const again = first.session.exchange(dump);
    expect(await peer.request()).toEqual(dump);
    peer.send(failed);
    expect(await again).toEqual({ reply: failed, refusal: undefined });
  });

  test('waits for a slow reply', async () => {
    const peer = peerOf();
    const { outcome } = await dumping(peer);
    await sleep(20);
    peer.send(done);
    expect(await outcome).toMatchObject({ reply: done });
  });

  test('acknowledges each notification after its hooks, in order', async () => {
    const peer = peerOf();
    const calls: string[] = [];
    const { outcome } = await dumping(peer, {
      onNotify: ({ script, pid }) => void calls.push(`any ${script} ${pid}`),
      async setupNamespaces(pid) {
        await sleep(5);
        calls.push(`setupNamespaces ${pid}`);
      },
      postDump: () => void calls.push('postDump'),
    });
    peer.send(notification('setup-namespaces', 77));
    expect(await peer.request()).toEqual(agreed);
    expect(calls).toEqual(['any setup-namespaces 77', 'setupNamespaces 77']);
    peer.send(notification('post-dump'));
    expect(await peer.request()).toEqual(agreed);
    peer.send(done);
    expect(await outcome).toEqual({ reply: done, refusal: undefined });
    expect(calls.slice(2)).toEqual(['any post-dump undefined', 'postDump']);
  });

  test('acknowledges unknown notifications, and notifications without hooks', async () => {
    const peer = peerOf();
    const onNotify = vi.fn();
    const { outcome, session } = await dumping(peer, { onNotify });
    for (const message of [
      notification('of-tomorrow'),
      { type: 'NOTIFY', success: true } as const,
    ]) {
      peer.send(message);
      expect(await peer.request()).toEqual(agreed);
    }
    expect(onNotify.mock.calls).toEqual([[{ script: 'of-tomorrow' }], [{ script: '' }]]);
    peer.send(done);
    await outcome;

    const withoutHooks = session.exchange(dump);
    await peer.request();
    peer.send(notification('pre-dump'));
    expect(await peer.request()).toEqual(agreed);
    peer.send(done);
    expect(await withoutHooks).toMatchObject({ refusal: undefined });
  });

  test('acknowledges query-ext-files with the result of the hook', async () => {
    const peer = peerOf();
    const answers = [['file[1:2]', 'file[3:4]'], []];
    const { outcome } = await dumping(peer, { queryExtFiles: () => answers.shift() ?? [] });
    peer.send(notification('query-ext-files'));
    expect(await peer.request()).toEqual({
      ...agreed,
      opts: { images_dir_fd: -1, external: ['file[1:2]', 'file[3:4]'] },
    });
    peer.send(notification('query-ext-files'));
    expect(await peer.request()).toEqual(agreed);
    peer.send(done);
    await outcome;
  });

  test('refuses a notification whose hook throws, and reports the first refusal with the reply', async () => {
    const peer = peerOf();
    const cause = new Error('not now');
    const { outcome } = await dumping(peer, {
      networkLock() {
        throw cause;
      },
      networkUnlock: () => Promise.reject(new Error('later')),
    });
    for (const script of ['network-lock', 'network-unlock']) {
      peer.send(notification(script));
      expect(await peer.request()).toEqual(refused);
    }
    peer.send(failed);
    expect(await outcome).toEqual({ reply: failed, refusal: { script: 'network-lock', cause } });
  });

  test('ends with ERR_CRIU_EOF if the peer disconnects before it replies', async () => {
    const peer = peerOf();
    const { outcome } = await dumping(peer);
    peer.close();
    expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
  });

  test('ends with ERR_CRIU_EOF if the peer is gone before the request', async () => {
    const peer = peerOf();
    peer.close();
    const outcome = new Session(peer.channel).exchange(dump);
    expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
  });

  test.each(['resolves', 'rejects'])(
    'does not wait for a hook when the peer hangs up, and it %s later',
    async (how) => {
      const peer = peerOf();
      const { hook, called, resolve, reject } = pendingHook();
      const { outcome } = await dumping(peer, { preDump: hook });
      peer.send(notification('pre-dump'));
      await called();
      peer.close();
      expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
      if (how === 'resolves') resolve();
      else reject(new Error('nobody listens'));
      await sleep(5);
    },
  );

  test.each<[string, Uint8Array, RegExp]>([
    [
      'bytes that are no message',
      Buffer.from('GET / HTTP/1.1'),
      /sent 14 bytes that are not a message/,
    ],
    ['half of a message', Buffer.from([0x08, 0x01]), /sent 2 bytes that are not a message/],
  ])('ends with ERR_CRIU_PROTOCOL at %s', async (_what, bytes, message) => {
    const peer = peerOf();
    const { outcome } = await dumping(peer);
    peer.send(bytes);
    const error = await failureOf(outcome);
    expect(error).toMatchObject({ code: 'ERR_CRIU_PROTOCOL', cause: expect.any(Error) });
    expect(error.message).toMatch(message);
  });

  test.each<[CriuResponse, string]>([
    [{ type: 'RESTORE', success: true }, 'RESTORE'],
    [{ type: 'EMPTY', success: true }, 'EMPTY'],
  ])('does not accept %o as the reply to DUMP', async (reply, type) => {
    const peer = peerOf();
    const { outcome } = await dumping(peer);
    peer.send(reply);
    expect(await failureOf(outcome)).toMatchObject({
      code: 'ERR_CRIU_PROTOCOL',
      message: `criu replied to DUMP with ${type}`,
    });
  });

  test('treats an unknown type as missing', async () => {
    const peer = peerOf();
    const { outcome } = await dumping(peer);
    peer.send(new Uint8Array([0x08, 99, 0x10, 1]));
    expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_PROTOCOL' });
  });

  test('accepts an EMPTY failure as a reply: CRIU does not know the request', async () => {
    const peer = peerOf();
    const { outcome } = await dumping(peer);
    const reply: CriuResponse = { type: 'EMPTY', success: false };
    peer.send(reply);
    expect(await outcome).toEqual({ reply, refusal: undefined });
  });

  test('accepts PAGE_SERVER as the reply to PAGE_SERVER_CHLD', async () => {
    const peer = peerOf();
    const outcome = new Session(peer.channel).exchange({ type: 'PAGE_SERVER_CHLD' });
    await peer.request();
    const reply: CriuResponse = { type: 'PAGE_SERVER', success: true, ps: { pid: 4, port: 5 } };
    peer.send(reply);
    expect(await outcome).toMatchObject({ reply });
  });

  test('fails at a reply that arrives before a notification is acknowledged', async () => {
    const peer = peerOf();
    const { hook, called, resolve } = pendingHook();
    const { outcome } = await dumping(peer, { preDump: hook });
    peer.send(notification('pre-dump'));
    await called();
    peer.send(done);
    expect(await failureOf(outcome)).toMatchObject({
      code: 'ERR_CRIU_PROTOCOL',
      message: expect.stringContaining('without waiting'),
    });
    resolve();
  });

  test('refuses a second request without disturbing the one in progress', async () => {
    const peer = peerOf();
    const { session, outcome } = await dumping(peer);
    expect(await failureOf(session.exchange(dump))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'request',
    });
    peer.send(done);
    expect(await outcome).toMatchObject({ reply: done });
  });

  test('refuses a request that cannot be encoded, and accepts the next one', async () => {
    const peer = peerOf();
    const session = new Session(peer.channel);
    const typo = { type: 'DUMP', opts: { images_dir_fd: 5, leave_runing: true } } as CriuRequest;
    expect(await failureOf(session.exchange(typo))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'request',
      message: expect.stringContaining('opts.leave_runing'),
    });
    const outcome = session.exchange(dump);
    expect(await peer.request()).toEqual(dump);
    peer.send(done);
    expect(await outcome).toMatchObject({ reply: done });
  });

  test('accepts a reply of 200 KiB', async () => {
    const peer = peerOf();
    const { outcome } = await dumping(peer);
    const reply = { ...failed, cr_errmsg: 'x'.repeat(200 * 1024) };
    peer.send(reply);
    expect((await outcome).reply).toEqual(reply);
  });

  describe('when it is cancelled', () => {
    test('before the request, refuses the first notification without calling the hooks', async () => {
      const peer = peerOf();
      const { cancellation, abort } = cancellable();
      const onNotify = vi.fn();
      abort();
      const { outcome } = await dumping(peer, { onNotify }, cancellation);
      peer.send(notification('pre-dump'));
      expect(await peer.request()).toEqual(refused);
      peer.send(failed);
      expect(await outcome).toEqual({
        reply: failed,
        refusal: { script: 'pre-dump', cause: cancellation.reason },
      });
      expect(onNotify).not.toHaveBeenCalled();
    });

    test('between two notifications, refuses the next one', async () => {
      const peer = peerOf();
      const { cancellation, abort } = cancellable();
      const onNotify = vi.fn();
      const { outcome } = await dumping(peer, { onNotify }, cancellation);
      peer.send(notification('pre-dump'));
      expect(await peer.request()).toEqual(agreed);
      abort();
      peer.send(notification('network-lock'));
      expect(await peer.request()).toEqual(refused);
      peer.send(failed);
      expect((await outcome).refusal).toEqual({
        script: 'network-lock',
        cause: cancellation.reason,
      });
      expect(onNotify).toHaveBeenCalledTimes(1);
    });

    test('during a hook that never settles, refuses at once', async () => {
      const peer = peerOf();
      const { cancellation, abort } = cancellable();
      const { hook, called } = pendingHook();
      const { outcome } = await dumping(peer, { postDump: hook }, cancellation);
      peer.send(notification('post-dump'));
      await called();
      abort();
      expect(await peer.request()).toEqual(refused);
      peer.send(failed);
      expect((await outcome).refusal?.cause).toBe(cancellation.reason);
    });

    test('kills the peer only when the grace period has passed without a reply', async () => {
      const peer = peerOf();
      const { cancellation, abort } = cancellable(20);
      const { outcome } = await dumping(peer, {}, cancellation);
      expect(peer.kills()).toBe(0);
      abort();
      expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
      expect(peer.kills()).toBe(1);
    });

    test('does not kill a peer that replies in time', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      const peer = peerOf();
      const { cancellation, abort } = cancellable(20);
      const { outcome } = await dumping(peer, {}, cancellation);
      abort();
      peer.send(done);
      expect(await outcome).toEqual({ reply: done, refusal: undefined });
      await vi.advanceTimersByTimeAsync(1000);
      expect(peer.kills()).toBe(0);
    });
  });
});

test('a request that is too large for the socket is ERR_CRIU_REQUEST_TOO_LARGE', async () => {
  const peer = socketPeer();
  const session = new Session(peer.channel);
  const external = Array.from({ length: 30_000 }, (_, index) => `file[${index}]`);
  const request: CriuRequest = { type: 'DUMP', opts: { images_dir_fd: 5, external } };
  const error = await failureOf(session.exchange(request));
  expect(error).toMatchObject({ code: 'ERR_CRIU_REQUEST_TOO_LARGE', errno: 90 });
  expect(error.message).toMatch(/^the request has \d{6} bytes/);

  const smaller = session.exchange(dump);
  expect(await peer.request()).toEqual(dump);
  peer.send(done);
  expect(await smaller).toMatchObject({ reply: done });
});

test('a peer that ends without reading the request is ERR_CRIU_EOF', async () => {
  const peer = socketPeer();
  const outcome = new Session(peer.channel).exchange(dump);
  peer.close();
  expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
});

test('any other failure of the channel is reported with its errno', async () => {
  const { channel } = memoryPeer();
  const cause = Object.assign(new Error('EMFILE: too many'), { code: 'EMFILE', errno: 24 });
  const outcome = new Session({ ...channel, receive: () => Promise.reject(cause) }).exchange(dump);
  expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_SYSTEM', errno: 24, cause });
});

describe('received descriptors', () => {
  function isOpen(fd: number): boolean {
    try {
      fstatSync(fd);
      return true;
    } catch {
      return false;
    }
  }

  /** The write end of a pipe, in the form of a received descriptor; closed after the test. */
  function received(): number {
    const [readEnd, writeEnd] = native().pipe();
    onTestFinished(() => {
      native().close(readEnd);
      if (isOpen(writeEnd)) native().close(writeEnd);
    });
    return writeEnd;
  }

  const cancelled = new Cancellation('dump', { signal: AbortSignal.abort() });
  const throwing = () => {
    throw new Error('no');
  };

  test.each<[string, CriuResponse | Uint8Array, Hooks, Cancellation?]>([
    ['a reply', done, {}],
    ['what is no message', Buffer.from('files'), {}],
    ['a notification that nobody wants them of', notification('orphan-pts-master'), {}],
    ['an unknown notification', notification('of-tomorrow'), { orphanPtsMaster() {} }],
    [
      'a notification at which onNotify throws',
      notification('orphan-pts-master'),
      { onNotify: throwing, orphanPtsMaster() {} },
    ],
    [
      'a notification after the cancellation',
      notification('orphan-pts-master'),
      { orphanPtsMaster() {} },
      cancelled,
    ],
  ])('with %s are closed', async (_what, message, hooks, cancellation) => {
    const peer = memoryPeer();
    const fds = [received(), received()];
    await dumping(peer, hooks, cancellation);
    peer.send(message, fds);
    await vi.waitFor(() => expect(fds.map(isOpen)).toEqual([false, false]));
    peer.close();
  });

  test('without hooks at all are closed', async () => {
    const peer = memoryPeer();
    const fd = received();
    const outcome = new Session(peer.channel).exchange(dump);
    await peer.request();
    peer.send(notification('orphan-pts-master'), [fd]);
    peer.send(done);
    await outcome;
    expect(isOpen(fd)).toBe(false);
  });

  test('with orphan-pts-master: the first one goes to the hook', async () => {
    const peer = memoryPeer();
    const fds = [received(), received()] as const;
    const orphanPtsMaster = vi.fn();
    const { outcome } = await dumping(peer, { orphanPtsMaster });
    peer.send(notification('orphan-pts-master'), fds);
    expect(await peer.request()).toEqual(agreed);
    peer.send(done);
    await outcome;
    expect(orphanPtsMaster.mock.calls).toEqual([[fds[0]]]);
    expect(fds.map(isOpen)).toEqual([true, false]);
  });
});

describe('a session with a program that is not criu', () => {
  async function open(): Promise<CriuSession> {
    const session = await CriuSession.open({ path: '/bin/true', defaults: {} }, {});
    onTestFinished(() => session.close());
    return session;
  }
  const codeOf = async (request: Promise<unknown>): Promise<CriuError['code']> =>
    (await failureOf(request)).code;

  test('reports at each request that the program has ended, and how', async () => {
    const session = await open();
    for (let times = 0; times < 2; times++) {
      expect(await failureOf(session.request({ type: 'VERSION' }))).toMatchObject({
        code: 'ERR_CRIU_EOF',
        operation: 'session',
        message: 'session: VERSION: criu exited with 0 without a reply',
        exit: { code: 0, signal: null },
      });
    }
  });

  test('refuses requests once it is closed, also the one in progress', async () => {
    const session = await open();
    const underWay = codeOf(session.request({ type: 'VERSION' }));
    await session.close();
    await session.close();
    expect(await underWay).toBe('ERR_CRIU_CLOSED');
    expect(await codeOf(session.request({ type: 'VERSION' }))).toBe('ERR_CRIU_CLOSED');
  });

  test('refuses invalid requests and options, and remains usable', async () => {
    const session = await open();
    for (const request of [null, 'VERSION', { type: 'VERSION', verbose: 1 }]) {
      expect(await failureOf(session.request(request as CriuRequest))).toMatchObject({
        code: 'ERR_CRIU_INVALID_ARGUMENT',
        operation: 'session',
        option: 'request',
      });
    }
    const options = { deadline: 5 } as object;
    expect(await failureOf(session.request({ type: 'VERSION' }, options))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'deadline',
    });
  });
});
