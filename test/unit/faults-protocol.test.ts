import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Cancellation } from '../../src/concurrency/cancellation.ts';
import type { CriuError, CriuErrorCode } from '../../src/errors.ts';
import { Criu } from '../../src/index.ts';
import type { Hooks } from '../../src/options/hooks.ts';
import { callHooks } from '../../src/protocol/hooks.ts';
import type { CriuRequest, CriuResponse } from '../../src/protocol/messages.ts';
import { Session } from '../../src/protocol/session.ts';
import { compileFixture } from '../helpers/compile.ts';
import { failureOf } from '../helpers/failures.ts';
import { holdings } from '../helpers/own-resources.ts';
import { type Random, seeded } from '../helpers/random.ts';
import { noteFault } from '../helpers/reliability.ts';
import { sample } from '../helpers/sample.ts';
import { type Peer, socketPeer } from '../helpers/scripted-peer.ts';
import { encodeResponse } from '../helpers/wire.ts';
import {
  type Counter,
  isAlive,
  killAfterTest,
  processState,
  startCounter,
  temporaryDirectory,
} from '../helpers/workload.ts';

const dump: CriuRequest = { type: 'DUMP', opts: { images_dir_fd: 5, pid: 12 } };
const done: CriuResponse = { type: 'DUMP', success: true };
const agreed: CriuRequest = { type: 'NOTIFY', notify_success: true };
const notification: CriuResponse = {
  type: 'NOTIFY',
  success: true,
  notify: { script: 'pre-dump' },
};
const nothing = { workload: 'as CRIU left it', left: 'nothing' };

/** A DUMP under way on a real socket, which the peer has read. */
async function dumping(hooks: Hooks = {}, cancellation?: Cancellation) {
  const peer = socketPeer();
  const session = new Session(peer.channel);
  const outcome = session.exchange(dump, {
    onNotification: callHooks(hooks, '/images'),
    cancellation,
  });
  outcome.catch(() => {});
  expect(await peer.request()).toEqual(dump);
  return { peer, session, outcome };
}

describe('a peer on a socket', () => {
  test.each<[string, (peer: Peer) => void, CriuErrorCode]>([
    ['hangs up before it replies', (peer) => peer.close(), 'ERR_CRIU_EOF'],
    [
      'sends the reply to another request',
      (peer) => peer.send({ type: 'RESTORE', success: true }),
      'ERR_CRIU_PROTOCOL',
    ],
    [
      'sends a reply of an unknown type',
      (peer) => peer.send(Uint8Array.from([0x08, 99, 0x10, 1])),
      'ERR_CRIU_PROTOCOL',
    ],
    [
      'sends 200 KiB that are no message',
      (peer) => peer.send(Buffer.alloc(200 * 1024, 0xff)),
      'ERR_CRIU_PROTOCOL',
    ],
    [
      'sends a reply in two packets, one after the other',
      (peer) => {
        const bytes = encodeResponse({ ...done, cr_errmsg: 'a long story' });
        peer.send(bytes.subarray(0, 8));
        setTimeout(() => peer.send(bytes.subarray(8)), 20);
      },
      'ERR_CRIU_PROTOCOL',
    ],
  ])('that %s ends the request with an error', async (fault, misbehave, code) => {
    const { peer, outcome } = await dumping();
    misbehave(peer);
    expect(await failureOf(outcome)).toMatchObject({ code });
    await sleep(30);
    await noteFault('protocol', { fault: `a criu that ${fault}`, error: code, ...nothing });
  });

  test('that hangs up with the request unread ends it with an error', async () => {
    const peer = socketPeer();
    const outcome = new Session(peer.channel).exchange(dump);
    outcome.catch(() => {});
    // By then it is sent.
    await sleep(10);
    peer.close();
    expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
    await noteFault('protocol', {
      fault: 'a criu that ends with the request unread',
      error: 'ERR_CRIU_EOF',
      ...nothing,
    });
  });

  test('that sends the beginning of a reply, however much of it, ends the request with an error', async () => {
    const whole = encodeResponse({ ...done, cr_errno: 3, cr_errmsg: 'no', notify: { pid: 7 } });
    let complete = 0;
    for (let length = 1; length < whole.length; length++) {
      const { peer, outcome } = await dumping();
      peer.send(whole.subarray(0, length));
      const end = await outcome.catch((error: unknown) => error);
      if (end instanceof Error) expect(end).toMatchObject({ code: 'ERR_CRIU_PROTOCOL' });
      else complete++;
      peer.close();
    }
    // What it breaks off between two fields, type and success among them, is a message as well.
    expect(complete).toBeLessThan(5);
    await noteFault('protocol', {
      fault: 'a criu that sends only the beginning of a reply',
      error: 'ERR_CRIU_PROTOCOL; none if that is a reply by itself',
      ...nothing,
    });
  });

  test('that sends noise never brings about anything but a reply or a CriuError', async () => {
    const random = seeded(4711);
    const whole = encodeResponse({ ...done, cr_errmsg: 'some error', notify: { script: 'a' } });
    let refused = 0;
    const replies = sample('spoilt replies', 1500, 300);
    for (let i = 0; i < replies; i++) {
      const { peer, outcome } = await dumping();
      const bytes = spoilt(whole, random);
      peer.send(bytes);
      // It may be a notification by now, which is agreed to.
      peer.close();
      const end = await outcome.catch((error: unknown) => error);
      const what = Buffer.from(bytes).toString('hex');
      if (end instanceof Error) {
        refused++;
        expect(end, what).toMatchObject({
          name: 'CriuError',
          code: expect.stringMatching(/^ERR_CRIU_(PROTOCOL|EOF)$/),
        });
      } else {
        expect(end, what).toMatchObject({ reply: { success: expect.any(Boolean) } });
      }
    }
    expect(refused).toBeGreaterThan(replies / 5);
    await noteFault('protocol', {
      fault: 'a criu that sends replies with changed bytes or noise',
      error: 'ERR_CRIU_PROTOCOL; none if it is still a reply',
      ...nothing,
    });
  });

  test('that replies in 200 KiB, and takes its time, is understood', async () => {
    const { peer, outcome } = await dumping();
    const reply: CriuResponse = { ...done, success: false, cr_errmsg: 'x'.repeat(200 * 1024) };
    await sleep(20);
    peer.send(reply);
    expect((await outcome).reply).toEqual(reply);
    await noteFault('protocol', {
      fault: 'a criu that replies late and in 200 KiB',
      error: 'none: it is read whole',
      ...nothing,
    });
  });

  test('that replies before it is asked is not believed', async () => {
    const peer = socketPeer();
    peer.send(done);
    const outcome = new Session(peer.channel).exchange(dump);
    expect(await failureOf(outcome)).toMatchObject({
      code: 'ERR_CRIU_PROTOCOL',
      message: 'criu sent a packet before the request',
    });
    await noteFault('protocol', {
      fault: 'a criu that replies before the first request',
      error: 'ERR_CRIU_PROTOCOL',
      ...nothing,
    });
  });

  test('that replies again after its reply is not believed by the next request', async () => {
    const { peer, session, outcome } = await dumping();
    peer.send(done);
    peer.send({ ...done, cr_errno: 77 });
    expect(await outcome).toEqual({ reply: done, refusal: undefined });
    expect(await failureOf(session.exchange(dump))).toMatchObject({ code: 'ERR_CRIU_PROTOCOL' });
    await noteFault('protocol', {
      fault: 'a criu that replies twice, or between two requests',
      error: 'ERR_CRIU_PROTOCOL at the next request; none if there is no next one',
      ...nothing,
    });
  });

  test('that does not wait for its acknowledgements ends the request with an error', async () => {
    const answers: (() => void)[] = [];
    const { peer, outcome } = await dumping({
      preDump: () => new Promise((resolve) => answers.push(resolve)),
    });
    peer.send(notification);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    peer.send(done);
    expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_PROTOCOL' });
    for (const answer of answers) answer();
    await noteFault('protocol', {
      fault: 'a criu that replies while a hook is at work',
      error: 'ERR_CRIU_PROTOCOL',
      ...nothing,
    });
  });

  test('that notifies 10,000 times is answered 10,000 times', async () => {
    let called = 0;
    const { peer, outcome } = await dumping({ preDump: () => void called++ });
    for (let i = 0; i < 10_000; i++) {
      peer.send(notification);
      expect(await peer.request()).toEqual(agreed);
    }
    peer.send(done);
    expect(await outcome).toMatchObject({ reply: done });
    expect(called).toBe(10_000);
    await noteFault('protocol', {
      fault: 'a criu that notifies 10,000 times',
      error: 'none: each is answered',
      ...nothing,
    });
  });

  test('does not get a request that is larger than the socket takes', async () => {
    const peer = socketPeer();
    const session = new Session(peer.channel);
    const external = Array.from({ length: 30_000 }, (_, index) => `file[${index}]`);
    const request: CriuRequest = { type: 'DUMP', opts: { images_dir_fd: 5, external } };
    expect(await failureOf(session.exchange(request))).toMatchObject({
      code: 'ERR_CRIU_REQUEST_TOO_LARGE',
    });
    await noteFault('protocol', {
      fault: 'a request larger than the socket takes (about 208 KiB)',
      error: 'ERR_CRIU_REQUEST_TOO_LARGE',
      workload: 'not touched',
      left: 'nothing',
    });
  });

  describe('whose notification meets a hook that never answers', () => {
    const never = () => new Promise<void>(() => {});

    test('waits as long as there is no deadline, until it hangs up', async () => {
      const { peer, outcome } = await dumping({ preDump: never });
      peer.send(notification);
      const answered = peer.request().then(() => 'answered');
      expect(await Promise.race([answered, outcome, sleep(60, 'nothing')])).toBe('nothing');
      peer.close();
      expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
      await noteFault('protocol', {
        fault: 'a hook that never answers, and criu ends',
        error: 'ERR_CRIU_EOF',
        ...nothing,
      });
    });

    test.each([
      ['the deadline', 'ERR_CRIU_TIMEOUT', () => ({ deadlineMs: 30 })],
      [
        'the signal',
        'ERR_CRIU_ABORTED',
        () => {
          const controller = new AbortController();
          setTimeout(() => controller.abort(), 30);
          return { signal: controller.signal };
        },
      ],
    ] as const)('is refused at %s', async (what, code, limits) => {
      const cancellation = new Cancellation('dump', limits());
      onTestFinished(() => cancellation[Symbol.dispose]());
      const { peer, outcome } = await dumping({ preDump: never }, cancellation);
      peer.send(notification);
      expect(await peer.request()).toEqual({ type: 'NOTIFY', notify_success: false });
      peer.send({ ...done, success: false });
      expect((await outcome).refusal).toMatchObject({ script: 'pre-dump', cause: { code } });
      await noteFault('protocol', {
        fault: `a hook that never answers, and ${what}`,
        error: code,
        workload: 'CRIU rolls back',
        left: 'nothing',
      });
    });

    test('is killed if it does not react to the refusal', async () => {
      const cancellation = new Cancellation('dump', { deadlineMs: 20, gracePeriodMs: 20 });
      onTestFinished(() => cancellation[Symbol.dispose]());
      const { peer, outcome } = await dumping({ preDump: never }, cancellation);
      peer.send(notification);
      expect(await failureOf(outcome)).toMatchObject({ code: 'ERR_CRIU_EOF' });
      expect(peer.kills()).toBe(1);
    });
  });
});

describe('a criu', () => {
  let binary: string;
  beforeAll(async () => {
    binary = await compileFixture('broken-criu');
    // What is opened once must not show up as left behind by a test.
    await compileFixture('counter');
  });

  /** A client of a criu that breaks at all but its version. */
  async function broken(how: string) {
    const directory = await temporaryDirectory();
    // The library knows what criu leaves behind by its name.
    const path = join(directory, 'criu');
    await copyFile(binary, path);
    const criu = new Criu({ path });
    expect(await criu.version()).toMatchObject({ number: 40201 });
    const child = join(directory, 'child');
    vi.stubEnv('BROKEN_CRIU', how);
    vi.stubEnv('BROKEN_CRIU_CHILD', child);
    onTestFinished(() => void vi.unstubAllEnvs());
    return { criu, directory, child };
  }

  /** A dump of a process that counts, by such a criu. */
  async function brokenDump(how: string, limits: { deadlineMs?: number } = {}) {
    const { criu, directory, child } = await broken(how);
    const counter = await startCounter();
    const before = await holdings();
    const error = await failureOf(
      criu.dump(counter.pid, {
        imagesDirectory: join(directory, 'images'),
        ...limits,
        gracePeriodMs: 100,
      }),
    );
    expect(error).toMatchObject({ operation: 'dump', pid: counter.pid, workload: 'running' });
    await expectUntouched(counter);
    expect(await holdings()).toEqual(before);
    return { error, child };
  }

  async function expectUntouched(counter: Counter): Promise<void> {
    await counter.countsOn();
    expect(await processState(counter.pid)).not.toBe('T');
  }

  const left = 'nothing';
  const workload = 'runs on';

  test.each([
    ['dies', 'that is killed at the request', { code: null, signal: 'SIGSEGV' }],
    ['exits', 'that exits with 0 and no reply', { code: 0, signal: null }],
  ] as const)('that %s without a reply', async (how, what, exit) => {
    const { error } = await brokenDump(how);
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', exit });
    expect(error.message).toContain('without a reply');
    await noteFault('protocol', { fault: `a criu ${what}`, error: error.code, workload, left });
  });

  test('that never answers is killed after the deadline', async () => {
    // On a busy machine the deadline may pass before criu has the request.
    let deadlineMs = 100;
    let { error } = await brokenDump('never answers', { deadlineMs });
    while (error.cancelled !== 'killed') {
      expect(error.code).toBe('ERR_CRIU_TIMEOUT');
      deadlineMs *= 2;
      ({ error } = await brokenDump('never answers', { deadlineMs }));
    }
    expect(error).toMatchObject({
      code: 'ERR_CRIU_TIMEOUT',
      cancelled: 'killed',
      exit: { code: null, signal: 'SIGKILL' },
    });
    const fault = 'a criu that never answers, and the deadline';
    await noteFault('protocol', { fault, error: error.code, workload, left });
  });

  test('that has no lazy pages is not asked for them, and nothing is touched', async () => {
    const { criu, directory } = await broken('lacks features');
    const counter = await startCounter();
    const imagesDirectory = join(directory, 'images');
    await mkdir(imagesDirectory);
    const before = await holdings();
    const operations = {
      lazyDump: () => criu.lazyDump(counter.pid, { imagesDirectory }),
      lazyPages: () => criu.lazyPages({ imagesDirectory }),
      lazyRestore: () => criu.lazyRestore({ imagesDirectory }),
      dump: () => criu.dump(counter.pid, { imagesDirectory, lazyPages: true, insecure: true }),
      restore: () => criu.restore({ imagesDirectory, lazyPages: true }),
    };
    for (const [operation, operate] of Object.entries(operations)) {
      const lacking = { code: 'ERR_CRIU_NO_LAZY_PAGES', operation };
      const error = await failureOf(operate);
      expect(error, operation).toMatchObject(lacking);
      expect(error, operation).not.toHaveProperty('exit');
    }
    const iterate = criu.iterate(counter.pid, { imagesDirectory });
    expect(await failureOf(iterate)).toMatchObject({ code: 'ERR_CRIU_NO_LAZY_PAGES' });
    const tracked = criu.iterate(counter.pid, { imagesDirectory, tracking: 'soft-dirty' });
    expect(await failureOf(tracked)).toMatchObject({ code: 'ERR_CRIU_NO_MEM_TRACK' });
    expect(await readdir(imagesDirectory)).toEqual([]);
    await expectUntouched(counter);
    expect(await holdings()).toEqual(before);
  });

  test.each(['signal', 'deadlineMs'] as const)(
    'that never says what it can does not keep a lazy restore from its %s',
    async (option) => {
      const { criu, directory } = await broken('never answers');
      const before = await holdings();
      const limit =
        option === 'signal' ? { signal: AbortSignal.timeout(100) } : { deadlineMs: 100 };
      const restore = { imagesDirectory: directory, gracePeriodMs: 100, ...limit };
      expect(await failureOf(criu.lazyRestore(restore))).toMatchObject({
        code: option === 'signal' ? 'ERR_CRIU_ABORTED' : 'ERR_CRIU_TIMEOUT',
        operation: 'lazyRestore',
        cancelled: 'killed',
      });
      expect(await holdings()).toEqual(before);
    },
  );

  test('that never answers the request for features is not waited for forever', async () => {
    const criu = new Criu({ path: binary });
    await criu.version();
    vi.stubEnv('BROKEN_CRIU', 'never answers');
    onTestFinished(() => void vi.unstubAllEnvs());
    const before = await holdings();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let error: CriuError | undefined;
    failureOf(criu.features()).then((failure) => {
      error = failure;
    });
    while (!error) {
      await vi.advanceTimersByTimeAsync(1000);
      await turn();
    }
    vi.useRealTimers();
    expect(error).toMatchObject({ code: 'ERR_CRIU_TIMEOUT', operation: 'features' });
    expect(error.message).toContain('has not answered a FEATURE_CHECK request');
    expect(await holdings()).toEqual(before);
  });

  test.each([
    ['CHECK', {}],
    ['FEATURE_CHECK', { trackMem: true }],
  ])('that never answers a %s leaves nothing behind in a preflight', async (_request, options) => {
    const criu = new Criu({ path: binary });
    const counter = await startCounter();
    await criu.version();
    vi.stubEnv('BROKEN_CRIU', 'never answers');
    onTestFinished(() => void vi.unstubAllEnvs());
    const before = await holdings();
    for (const limit of [{ deadlineMs: 100 }, { signal: AbortSignal.timeout(100) }]) {
      const limits = { ...limit, gracePeriodMs: 100 };
      const error = await failureOf(criu.preflight(counter.pid, { ...options, ...limits }));
      const code = 'signal' in limit ? 'ERR_CRIU_ABORTED' : 'ERR_CRIU_TIMEOUT';
      expect(error).toMatchObject({ code, operation: 'preflight' });
      expect(await holdings()).toEqual(before);
    }
  });

  test('that writes 10 MiB to its standard error is not waited for, and only the end of it is kept', async () => {
    const { error } = await brokenDump('complains');
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', exit: { code: 1, signal: null } });
    expect(error.message).toContain('criu exited with 1 without a reply: that was all');
    expect(error.stderr).toMatch(/x\nError \(broken\.c:1\): that was all$/);
    expect(error.stderr?.length).toBeGreaterThan(60_000);
    expect(error.stderr?.length).toBeLessThanOrEqual(65_536);
    const fault = 'a criu that writes 10 MiB to its standard error';
    await noteFault('protocol', { fault, error: error.code, workload, left });
  });

  test.each(['hangs up', 'hangs up and ignores SIGTERM'])(
    'that %s, and stays alive, is killed',
    async (how) => {
      const { error } = await brokenDump(how);
      expect(error).toMatchObject({
        code: 'ERR_CRIU_EOF',
        exit: { code: null, signal: 'SIGKILL' },
      });
      const fault = `a criu that ${how}, and stays alive`;
      await noteFault('protocol', {
        fault,
        error: error.code,
        workload,
        left: 'criu: the library kills it after 5 s',
      });
    },
    20_000,
  );

  test('that leaves a child with its socket and standard error is not waited for', async () => {
    const { error, child } = await brokenDump('leaves a child');
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', exit: { code: 1, signal: null } });
    const pid = Number(await readFile(child, 'utf8'));
    killAfterTest(pid);
    expect(await isAlive(pid)).toBe(false);
    const fault = 'a criu that ends, and leaves a child with its socket and standard error';
    await noteFault('protocol', {
      fault,
      error: error.code,
      workload,
      left: 'the child: the library kills it',
    });
  });

  test('that floods its caller with notifications, without waiting, ends the operation', async () => {
    const { error } = await brokenDump('notifies without waiting');
    expect(error).toMatchObject({ code: 'ERR_CRIU_PROTOCOL' });
    const fault = 'a criu that notifies on and on without waiting';
    await noteFault('protocol', { fault, error: error.code, workload, left });
  });

  test('that attaches descriptors to its messages does not leave them here', async () => {
    const { error } = await brokenDump('sends descriptors');
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED' });
    const fault = 'a criu that attaches descriptors to a notification and to its reply';
    await noteFault('protocol', { fault, error: error.code, workload, left });
  });
});

/** A copy with a missing or changed part. */
function spoilt(whole: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(whole);
  if (random(3) === 0) return bytes.subarray(0, 1 + random(bytes.length - 1));
  for (let times = 1 + random(4); times > 0; times--) bytes[random(bytes.length)] = random(256);
  return bytes;
}
