import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CriuSession, ExitStatus } from '../../../src/index.ts';
import { native } from '../../../src/native/index.ts';
import { descriptorOf } from '../../../src/options/kinds.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { nameOf, Output, pipe, startOn } from '../../helpers/descriptors.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startObstacle } from '../../helpers/obstacle.ts';
import { children } from '../../helpers/own-resources.ts';
import { connection, inProc, listensAt } from '../../helpers/sockets.ts';
import {
  client,
  isAlive,
  killAfterTest,
  processState,
  startCounter,
  temporaryDirectory,
} from '../../helpers/workload.ts';

test('one criu answers several consecutive requests', async () => {
  const criu = client();
  const session = await criu.session();
  expect(await children()).toContain(session.pid as number);
  const first = await session.request({ type: 'VERSION', keep_open: true });
  const features = { mem_track: true, lazy_pages: true, pidfd_store: true };
  const second = await session.request({ type: 'FEATURE_CHECK', keep_open: true, features });
  const third = await session.request({ type: 'VERSION', keep_open: true });

  const { major, minor } = await criu.version();
  expect(first).toMatchObject({
    type: 'VERSION',
    success: true,
    version: { major_number: major, minor_number: minor },
  });
  const { memTrack, lazyPages, pidfdStore } = await criu.features();
  expect(second.features).toMatchObject({
    mem_track: memTrack,
    lazy_pages: lazyPages,
    pidfd_store: pidfdStore,
  });
  expect(third).toEqual(first);
  expect(await isAlive(session.pid as number)).toBe(true);
  await session.close();
  expect(await processState(session.pid as number)).toBeUndefined();
});

test('without keep_open the first answer is the last, and the session is over', async () => {
  const session = await client().session();
  await session.request({ type: 'VERSION' });
  expect(await session.exited).toEqual({ code: 0, signal: null });
  await expect(session.request({ type: 'VERSION' })).rejects.toMatchObject({
    code: 'ERR_CRIU_EOF',
    exit: { code: 0, signal: null },
  });
});

test('a page server is started and waited for in one session', async () => {
  const criu = client();
  const counter = await startCounter();
  const there = await temporaryDirectory();
  const session = await criu.session();
  const started = await session.request({
    type: 'PAGE_SERVER_CHLD',
    keep_open: true,
    opts: {
      images_dir_fd: await directory(there),
      log_file: 'page-server.log',
      ps: { address: '127.0.0.1', port: 0 },
    },
  });
  const { pid = 0, port = 0 } = started.ps ?? {};
  expect(started).toMatchObject({ type: 'PAGE_SERVER', success: true });
  expect(await listensAt(pid)).toEqual([inProc('127.0.0.1', port)]);

  await criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: { address: '127.0.0.1', port },
    leaveRunning: true,
  });
  expect(await session.request({ type: 'WAIT_PID', pid })).toMatchObject({
    type: 'WAIT_PID',
    success: true,
    status: 0,
  });
  expect(await readdir(there)).toContain(`pagemap-${counter.pid}.img`);
});

test('WAIT_PID reports the signal of a page server that was killed', async () => {
  const session = await client().session();
  const { ps } = await session.request({
    type: 'PAGE_SERVER_CHLD',
    keep_open: true,
    opts: {
      images_dir_fd: await directory(await temporaryDirectory()),
      log_file: 'page-server.log',
      ps: { address: '127.0.0.1', port: 0 },
    },
  });
  const waited = session.request({ type: 'WAIT_PID', pid: ps?.pid ?? 0 });
  process.kill(ps?.pid ?? 0, 'SIGKILL');
  expect((await waited).status).toBe(9);
});

test('WAIT_PID for a process that is no child of this criu fails', async () => {
  const session = await client().session();
  await expect(session.request({ type: 'WAIT_PID', pid: process.pid })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining(`Unable to wait ${process.pid}: No child processes`),
  });
});

test('a request of a type that CRIU does not take is answered with a failure', async () => {
  const session = await client().session();
  await expect(session.request({ type: 'NOTIFY' })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    operation: 'session',
    message: expect.stringContaining('NOTIFY'),
  });
  await session.exited;
});

test('an invalid request is refused and does not end the session', async () => {
  const session = await client().session();
  const requests = [
    { type: 'VERSON', keep_open: true },
    { type: 'VERSION', keepOpen: true },
    { type: 'VERSION', pid: 'many' },
    undefined,
  ];
  for (const request of requests) {
    await expect(session.request(request as never)).rejects.toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'request',
    });
  }
  const reply = await session.request({ type: 'VERSION', keep_open: true });
  expect(reply.success).toBe(true);
});

test('CRIU closes the connection at a CHECK with keep_open, which it does not support', async () => {
  const session = await client().session();
  const check = session.request({ type: 'CHECK', keep_open: true });
  await expect(check).rejects.toMatchObject({
    code: 'ERR_CRIU_EOF',
    exit: { code: expect.any(Number), signal: null },
    message: expect.stringMatching(/^session: CHECK: criu exited with \d+ without a reply/),
  });
  expect(await processState(session.pid as number)).toBeUndefined();
});

test('a DUMP without options crashes criu, and the error says by which signal', async () => {
  const session = await client().session();
  await expect(session.request({ type: 'DUMP' })).rejects.toMatchObject({
    code: 'ERR_CRIU_EOF',
    exit: { code: null, signal: 'SIGSEGV' },
    message: expect.stringContaining('criu was killed by SIGSEGV'),
  });
});

test('a closed session takes no requests, and closing it again does nothing', async () => {
  const session = await client().session();
  await session.request({ type: 'VERSION', keep_open: true });
  await Promise.all([session.close(), session.close()]);
  await session.close();
  expect(await processState(session.pid as number)).toBeUndefined();
  expect(await session.exited).toEqual({ code: 255, signal: null });
  await expect(session.request({ type: 'VERSION' })).rejects.toMatchObject({
    code: 'ERR_CRIU_CLOSED',
    operation: 'session',
  });
});

test('a session that was never used can be closed', async () => {
  let pid: number;
  {
    await using session = await client().session();
    pid = session.pid as number;
    expect(await isAlive(pid)).toBe(true);
  }
  expect(await processState(pid)).toBeUndefined();
});

test('closing the client ends its sessions, and a request under way with them', async () => {
  const criu = client();
  const counter = await startCounter();
  const session = await criu.session();
  let dump: Promise<unknown> = Promise.resolve();
  const opts = await dumpOptions(counter.pid);
  await new Promise<void>((frozen) => {
    const hooks = {
      async queryExtFiles() {
        frozen();
        return await new Promise<never>(() => {});
      },
    };
    dump = session.request({ type: 'DUMP', opts }, { hooks });
    dump.catch(() => {});
  });
  await criu.close();
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  expect(await processState(session.pid as number)).toBeUndefined();
  await counter.countsOn();
  await expect(criu.session()).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
});

test('a second request is refused while the first one is not answered', async () => {
  const session = await client().session();
  const first = session.request({ type: 'VERSION', keep_open: true });
  await expect(session.request({ type: 'VERSION', keep_open: true })).rejects.toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    message: expect.stringContaining('still under way'),
  });
  expect((await first).success).toBe(true);
  expect((await session.request({ type: 'VERSION', keep_open: true })).success).toBe(true);
});

test('refused requests do not keep the request in progress from rolling back', async () => {
  const counter = await startCounter();
  const controller = new AbortController();
  const session = await client().session({ signal: controller.signal });
  const opts = await dumpOptions(counter.pid);
  const reason = new Error('changed my mind');
  const preDump = async () => {
    for (const _ of [1, 2]) {
      await expect(session.request({ type: 'VERSION' })).rejects.toMatchObject({
        code: 'ERR_CRIU_INVALID_ARGUMENT',
        message: expect.stringContaining('still under way'),
      });
    }
    controller.abort(reason);
  };
  await expect(
    session.request({ type: 'DUMP', opts }, { hooks: { preDump } }),
  ).rejects.toMatchObject({ code: 'ERR_CRIU_ABORTED', cancelled: 'refused', cause: reason });
  await session.exited;
  await counter.countsOn();
});

test('a dump by hand writes images that restore', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const session = await criu.session();
  const steps: string[] = [];
  const reply = await session.request(
    {
      type: 'DUMP',
      opts: {
        images_dir_fd: await directory(imagesDirectory),
        pid: counter.pid,
        log_file: 'by-hand.log',
        notify_scripts: true,
      },
    },
    {
      hooks: {
        onNotify: ({ script }) => void steps.push(script),
        preDump: () => void steps.push('preDump'),
        postDump: () => void steps.push('postDump'),
      },
    },
  );
  await counter.ended;
  expect(reply).toMatchObject({ type: 'DUMP', success: true });
  expect(steps).toEqual(['pre-dump', 'preDump', 'query-ext-files', 'post-dump', 'postDump']);
  expect(await readdir(imagesDirectory)).toContain('by-hand.log');
  expect(await session.exited).toEqual({ code: 0, signal: null });

  await criu.restore({ imagesDirectory });
  await counter.countsOn();
});

test('the error of a dump by hand has the cause from the log and the state of the processes', async () => {
  const { pid } = await startObstacle('lock_flock', '@/file');
  const session = await client().session();
  const { log_file: _, ...opts } = await dumpOptions(pid);
  const error = await failureOf(session.request({ type: 'DUMP', opts }));
  expect(error).toMatchObject({
    code: 'ERR_CRIU_FAILED',
    operation: 'session',
    message: expect.stringMatching(
      /^session: DUMP: Some file locks are hold .* \[option fileLocks\] \(the processes run on\)$/,
    ),
    ...{ pid, workload: 'running' },
    log: { path: expect.stringMatching(/\/criu\.log$/) },
  });
  await using other = await client().session();
  const nobody = await dumpOptions(0x7ffffffe);
  await expect(other.request({ type: 'DUMP', opts: nobody })).rejects.toMatchObject({
    code: 'ERR_CRIU_NO_SUCH_PROCESS',
    message: 'session: DUMP: there is no process 2147483646',
  });
});

test('the error of a restore by hand tells which pid is in use', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory, leaveRunning: true });
  await using session = await criu.session();
  const opts = { images_dir_fd: await directory(imagesDirectory) };
  await expect(session.request({ type: 'RESTORE', opts })).rejects.toMatchObject({
    code: 'ERR_CRIU_PID_BUSY',
    message: expect.stringContaining(`pid ${counter.pid} is in use`),
  });
});

test('a hook that throws makes a dump by hand fail and roll back', async () => {
  const counter = await startCounter();
  const session = await client().session();
  const cause = new Error('not today');
  const dump = session.request(
    { type: 'DUMP', opts: await dumpOptions(counter.pid) },
    {
      hooks: {
        postDump() {
          throw cause;
        },
      },
    },
  );
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_HOOK', cause });
  await counter.countsOn();
});

test('an aborted dump by hand is refused its next step and rolls back', async () => {
  const counter = await startCounter();
  const session = await client().session();
  const controller = new AbortController();
  const reason = new Error('changed my mind');
  const dump = session.request(
    { type: 'DUMP', opts: await dumpOptions(counter.pid) },
    { signal: controller.signal, hooks: { preDump: () => controller.abort(reason) } },
  );
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_ABORTED',
    cancelled: 'refused',
    cause: reason,
  });
  await counter.countsOn();
});

test('an aborted request without notifications ends by killing criu', async () => {
  const session = await client().session();
  const pid = await startPageServer(session);
  const controller = new AbortController();
  const waited = session.request(
    { type: 'WAIT_PID', pid },
    { signal: controller.signal, gracePeriodMs: 20 },
  );
  controller.abort();
  await expect(waited).rejects.toMatchObject({ code: 'ERR_CRIU_ABORTED', cancelled: 'killed' });
  expect(await session.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a request that has been aborted before is not made', async () => {
  const session = await client().session();
  const request = session.request(
    { type: 'VERSION', keep_open: true },
    { signal: AbortSignal.abort() },
  );
  await expect(request).rejects.toMatchObject({ code: 'ERR_CRIU_ABORTED' });
  expect((await session.request({ type: 'VERSION', keep_open: true })).success).toBe(true);
});

test('a session carries descriptors to criu: a restore by hand writes into another pipe', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const [was, is] = [pipe(), pipe()];
  const before = outputOf(was[0]);
  const { pid, ended } = await startOn([undefined, was[1]], await compileFixture('counter'), [
    '/proc/self/fd/1',
  ]);
  const pipeName = nameOf(was[1]);
  await before.has('\n3\n');
  await criu.dump(pid, { imagesDirectory });
  await ended;
  const reached = Number(before.text.trim().split('\n').at(-1));

  const session = await criu.session({ descriptors: { 20: is[1] } });
  const reply = await session.request({
    type: 'RESTORE',
    opts: {
      images_dir_fd: await directory(imagesDirectory),
      log_file: 'restore.log',
      inherit_fd: [{ key: pipeName, fd: 20 }],
    },
  });
  expect(reply).toMatchObject({ type: 'RESTORE', success: true, restore: { pid } });
  const after = outputOf(is[0]);
  await after.has(`${reached + 2}\n`);
  expect(Number(after.text.split('\n', 1)[0])).toBe(reached + 1);
});

test('a session carries the connection of a page server to criu', async () => {
  const criu = client();
  const counter = await startCounter();
  const there = await temporaryDirectory();
  const [near, far] = await connection();
  // A session does not change descriptors, and CRIU requires blocking ones.
  native().setBlocking(descriptorOf(far) ?? -1);
  const session = await criu.session({ descriptors: { 10: far } });
  const { ps } = await session.request({
    type: 'PAGE_SERVER_CHLD',
    keep_open: true,
    opts: { images_dir_fd: await directory(there), log_file: 'ps.log', ps: { fd: 10 } },
  });
  await criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: { fd: near },
    leaveRunning: true,
  });
  const { status } = await session.request({ type: 'WAIT_PID', pid: ps?.pid ?? 0 });
  expect(status).toBe(0);
  expect(await readdir(there)).toContain(`pagemap-${counter.pid}.img`);
});

test.each([
  { what: 'the number of the socket', descriptors: { 3: 0 } },
  { what: 'a number that is none', descriptors: { four: 0 } },
  { what: 'a descriptor that is not open', descriptors: { 4: 99_999 } },
  { what: 'no descriptor', descriptors: { 4: 'stdin' } },
])('a session with $what is refused before anything starts', async ({ descriptors }) => {
  const before = await children();
  await expect(client().session({ descriptors } as never)).rejects.toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: expect.stringMatching(/^descriptors/),
  });
  expect(await children()).toEqual(before);
});

test('pre-dumps and a dump are made in one session, where the kernel tracks memory', async () => {
  const criu = client();
  const counter = await startCounter();
  const base = await temporaryDirectory();
  const session = await criu.session();
  const rounds = ['1', '2', '3'];
  for (const round of rounds) await mkdir(join(base, round), { mode: 0o700 });
  const request = async (type: 'PRE_DUMP' | 'DUMP', round: string, parent?: string) =>
    await session.request({
      type,
      opts: {
        images_dir_fd: await directory(join(base, round)),
        pid: counter.pid,
        log_file: 'round.log',
        ...(parent !== undefined && { parent_img: `../${parent}`, track_mem: true }),
      },
    });

  if ((await criu.features()).memTrack) {
    expect((await request('PRE_DUMP', '1')).success).toBe(true);
    expect((await request('PRE_DUMP', '2', '1')).success).toBe(true);
    await counter.countsOn();
    expect((await request('DUMP', '3', '2')).success).toBe(true);
    await counter.ended;
    expect(await session.exited).toEqual({ code: 0, signal: null });
    expect(await readdir(join(base, '3'))).toContain('parent');
    await criu.restore({ imagesDirectory: join(base, '3') });
  } else {
    // CRIU does not check for memory tracking first: its child that makes the pre-dump aborts.
    await expect(request('PRE_DUMP', '1')).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_CRIU_(FAILED|EOF)$/),
      exit: expect.toSatisfy((exit: ExitStatus) => exit.code !== 0),
    });
    expect(await processState(session.pid as number)).toBeUndefined();
    expect(await readFile(join(base, '1/round.log'), 'utf8')).toMatch(/BUG at criu\/mem\.c/);
  }
  await counter.countsOn();
});

/** A descriptor on a directory, closed after the test. */
async function directory(path: string): Promise<number> {
  const handle = await open(path);
  onTestFinished(() => handle.close());
  return handle.fd;
}

/** What comes out of a pipe. The descriptor is the stream's from now on. */
function outputOf(fd: number): Output {
  const socket = new Socket({ fd, readable: true, writable: false });
  onTestFinished(() => void socket.destroy());
  return new Output(socket);
}

async function dumpOptions(pid: number) {
  const imagesDirectory = await directory(await temporaryDirectory());
  return { images_dir_fd: imagesDirectory, pid, log_file: 'dump.log', notify_scripts: true };
}

/** Starts a page server without a client; it is killed after the test. Resolves with its pid. */
async function startPageServer(session: CriuSession): Promise<number> {
  const { ps } = await session.request({
    type: 'PAGE_SERVER_CHLD',
    keep_open: true,
    opts: {
      images_dir_fd: await directory(await temporaryDirectory()),
      log_file: 'page-server.log',
      ps: { address: '127.0.0.1', port: 0 },
    },
  });
  const pid = ps?.pid ?? 0;
  expect(await isAlive(pid)).toBe(true);
  killAfterTest(pid);
  return pid;
}

const version = { type: 'VERSION', keep_open: true } as const;

test('an idle session ends when its signal is aborted, and refuses later requests', async () => {
  const controller = new AbortController();
  const session = await client().session({ signal: controller.signal });
  await session.request(version);
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await session.exited).toMatchObject({ signal: null });
  const error = { code: 'ERR_CRIU_ABORTED', operation: 'session', cause: reason };
  await expect(session.request(version)).rejects.toMatchObject(error);
  await session.close();
});

test('an idle session ends at its deadline', async () => {
  const session = await client().session({ deadlineMs: 50 });
  await session.exited;
  await expect(session.request(version)).rejects.toMatchObject({ code: 'ERR_CRIU_TIMEOUT' });
});

test('the signal of a session cancels the request in progress and ends the session', async () => {
  const counter = await startCounter();
  await using images = await open(await temporaryDirectory());
  const controller = new AbortController();
  const session = await client().session({ signal: controller.signal });
  const opts = { images_dir_fd: images.fd, pid: counter.pid, notify_scripts: true };
  const dump = session.request(
    { type: 'DUMP', opts },
    { hooks: { preDump: () => controller.abort() } },
  );
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_ABORTED', cancelled: 'refused' });
  await session.exited;
  await counter.countsOn();
});

test('a session whose signal is already aborted is not opened', async () => {
  const before = await children();
  const session = client().session({ signal: AbortSignal.abort() });
  await expect(session).rejects.toMatchObject({ code: 'ERR_CRIU_ABORTED' });
  expect(await children()).toEqual(before);
});
