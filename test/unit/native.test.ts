import { createCipheriv } from 'node:crypto';
import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { native, type Packet, type SpawnRequest, type WaitStatus } from '../../src/native/index.ts';
import { fileId, programOf } from '../../src/procfs/program.ts';
import { childrenOf } from '../../src/procfs/tree.ts';
import { compileFixture } from '../helpers/compile.ts';
import { heldProgram } from '../helpers/held-program.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const addon = native();
const addonFile = Object.keys(createRequire(import.meta.url).cache).find((file) =>
  /\/build\/[^/]+\.node$/.test(file),
) as string;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'native-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** The descriptors of this process and their files, with the pid in the name of each pidfd. */
function openFiles(): Map<number, string> {
  const files = new Map<number, string>();
  for (const name of fs.readdirSync('/proc/self/fd')) {
    try {
      const file = fs.readlinkSync(`/proc/self/fd/${name}`);
      const pid = /^Pid:\s*(.*)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1];
      files.set(Number(name), pid === undefined ? file : `pidfd of ${pid}`);
    } catch {
      // The descriptor of the listing itself is closed by now.
    }
  }
  return files;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

/** Closes descriptors after the test, unless the test closed them. */
function closing<T extends readonly number[]>(fds: T): T {
  closers.push(() => {
    for (const fd of fds) {
      try {
        addon.close(fd);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error;
      }
    }
  });
  return fds;
}

const socketpair = () => closing(addon.socketpair());
const pipe = () => closing(addon.pipe());

function openFile(file: string, flags = 'r'): number {
  const fd = fs.openSync(file, flags);
  closing([fd]);
  return fd;
}

interface Child {
  readonly pid: number;
  readonly pidfd: number;
  readonly ended: () => Promise<WaitStatus>;
}

async function spawn(
  file: string,
  args: string[] = [],
  more: Partial<SpawnRequest> = {},
): Promise<Child> {
  const request = { file, args: [file, ...args], env: [], descriptors: [], ...more };
  const { pid, pidfd } = await addon.spawn(request);
  let status: WaitStatus | null | undefined = null;
  closers.push(() => {
    if (status === null) {
      addon.pidfdSendSignal(pidfd, os.constants.signals.SIGKILL);
      while (addon.wait(pidfd) === null);
    }
    addon.close(pidfd);
  });
  const ended = async () => {
    await readable(pidfd);
    status = addon.wait(pidfd);
    if (!status) throw new Error(`the child has no status: ${status}`);
    return status;
  };
  return { pid, pidfd, ended };
}

function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = addon.watch(fd, () => {
      watch.close();
      resolve();
    });
  });
}

async function readToEnd(fd: number): Promise<string> {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(65_536);
  for (;;) {
    await readable(fd);
    const size = fs.readSync(fd, chunk);
    if (size === 0) return Buffer.concat(chunks).toString();
    chunks.push(Buffer.from(chunk.subarray(0, size)));
  }
}

/** Runs a shell command; resolves with its output and its wait status. */
async function shell(command: string, more: Partial<SpawnRequest> = {}) {
  const [output, input] = pipe();
  const descriptors = [[1, input], [2, input], ...(more.descriptors ?? [])] as [number, number][];
  const child = await spawn('/bin/sh', ['-c', command], { ...more, descriptors });
  addon.close(input);
  const text = await readToEnd(output);
  return { text, ...(await child.ended()) };
}

function procStatus(pid: number | 'thread-self', field: string): string | undefined {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1];
}

function failure(action: () => unknown): NodeJS.ErrnoException {
  try {
    action();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('expected a failure');
}

async function rejection(action: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  return await action.then(
    () => {
      throw new Error('expected a failure');
    },
    (error) => error,
  );
}

describe('packets', () => {
  test.each([1, 8_193, 100 * 1024, 190 * 1024])(
    'receives a packet of %i bytes as a whole',
    (size) => {
      const [a, b] = socketpair();
      const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
      addon.send(a, bytes);
      const packet = addon.receive(b) as Packet;
      expect(packet.fds).toEqual([]);
      expect(Buffer.compare(packet.data, bytes)).toBe(0);
    },
  );

  test('preserves the boundaries and the order of packets in both directions', () => {
    const [a, b] = socketpair();
    const whole = Buffer.from('onetwo');
    addon.send(a, whole.subarray(0, 3));
    addon.send(a, whole.subarray(3));
    addon.send(b, new Uint8Array(new Uint8Array([0, 7, 8, 0]).buffer, 1, 2));
    expect(Buffer.from((addon.receive(b) as Packet).data).toString()).toBe('one');
    expect(Buffer.from((addon.receive(b) as Packet).data).toString()).toBe('two');
    expect((addon.receive(a) as Packet).data).toEqual(new Uint8Array([7, 8]));
  });

  test('receive() returns null without a packet and undefined after the peer closed', () => {
    const [a, b] = socketpair();
    expect(addon.receive(a)).toBeNull();
    expect(addon.receive(b)).toBeNull();
    addon.send(b, Buffer.from('last words'));
    addon.close(b);
    expect(addon.receive(a)).toMatchObject({ fds: [] });
    expect(addon.receive(a)).toBeUndefined();
    expect(addon.receive(a)).toBeUndefined();
  });

  test('a packet larger than the socket buffer throws EMSGSIZE', () => {
    const [a] = socketpair();
    const { EMSGSIZE } = os.constants.errno;
    expect(failure(() => addon.send(a, new Uint8Array(1024 * 1024)))).toMatchObject({
      name: 'Error',
      message: 'EMSGSIZE: message too long, send',
      code: 'EMSGSIZE',
      errno: EMSGSIZE,
      syscall: 'send',
    });
  });

  test('connect() fails as connect(2) does, and closes its socket', async () => {
    const file = path.join(directory, 'stream.sock');
    const server = net.createServer().listen(file);
    closers.push(() => server.close());
    const before = openFiles().size;
    expect(() => addon.connect(path.join(directory, 'none'))).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'connect' }),
    );
    // A socket of another type.
    expect(() => addon.connect(file)).toThrow(expect.objectContaining({ code: 'EPROTOTYPE' }));
    expect(() => addon.connect('x'.repeat(108))).toThrow(
      expect.objectContaining({ code: 'ENAMETOOLONG' }),
    );
    expect(() => addon.connect(1 as unknown as string)).toThrow(TypeError);
    expect(openFiles().size).toBe(before);
  });

  test('a full queue throws EAGAIN, on the blocking end too', () => {
    for (const end of socketpair()) {
      const fill = () => {
        for (;;) addon.send(end, new Uint8Array(10_000));
      };
      expect(failure(fill)).toMatchObject({ code: 'EAGAIN', syscall: 'send' });
    }
  });

  test('a packet for a closed peer throws EPIPE, without SIGPIPE', () => {
    const [a, b] = socketpair();
    addon.close(b);
    expect(failure(() => addon.send(a, Buffer.from('?')))).toMatchObject({ code: 'EPIPE' });
  });

  test('a peer that closes with unread data throws ECONNRESET once, before its own packets arrive', async () => {
    const [a, b] = socketpair();
    addon.send(a, Buffer.from('never read'));
    addon.send(b, Buffer.from('sent before'));
    addon.close(b);
    await readable(a);
    expect(failure(() => addon.receive(a))).toMatchObject({ code: 'ECONNRESET', syscall: 'recv' });
    await readable(a);
    expect(Buffer.from((addon.receive(a) as Packet).data).toString()).toBe('sent before');
    await readable(a);
    expect(addon.receive(a)).toBeUndefined();
  });

  test('received descriptors are open and close-on-exec', async () => {
    const files = ['alpha', 'beta', 'gamma'].map((text) => path.join(directory, text));
    for (const file of files) fs.writeFileSync(file, path.basename(file));
    const [here, there] = socketpair();
    const sender = await spawn(await compileFixture('send-fds'), files, {
      descriptors: [[3, there]],
    });
    await readable(here);
    const packet = addon.receive(here) as Packet;
    closing(packet.fds);
    expect(await sender.ended()).toEqual({ code: 0, signal: null });
    expect(Buffer.from(packet.data).toString()).toBe('files');
    expect(packet.fds.map((fd) => fs.readFileSync(fd, 'utf8'))).toEqual(['alpha', 'beta', 'gamma']);
    for (const fd of packet.fds) {
      const flags = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
      expect(Number.parseInt(flags?.[1] ?? '', 8) & 0o2000000).toBeTruthy();
    }
  });

  test('receives the maximum number of descriptors in one packet', async () => {
    const [here, there] = socketpair();
    const files = Array<string>(253).fill('/dev/null');
    await spawn(await compileFixture('send-fds'), files, { descriptors: [[3, there]] });
    await readable(here);
    const packet = addon.receive(here) as Packet;
    closing(packet.fds);
    expect(new Set(packet.fds).size).toBe(253);
    expect(packet.fds.every((fd) => fs.readlinkSync(`/proc/self/fd/${fd}`) === '/dev/null')).toBe(
      true,
    );
  });
});

describe('stream sockets', () => {
  test('accept connections, and receive bytes and descriptors in parts', async () => {
    const at = path.join(directory, 'listener.sock');
    const listener = addon.listen(at);
    closing([listener]);
    expect(addon.accept(listener)).toBeNull();
    const peer = net.connect(at);
    await readable(listener);
    const connection = addon.accept(listener) as number;
    closing([connection]);
    expect(addon.receive(connection, 100)).toBeNull();
    peer.write('one message');
    await readable(connection);
    expect(Buffer.from((addon.receive(connection, 3) as Packet).data).toString()).toBe('one');
    expect(Buffer.from((addon.receive(connection, 99) as Packet).data).toString()).toBe(' message');
    peer.end();
    await readable(connection);
    expect(addon.receive(connection, 99)).toBeUndefined();

    const [here, there] = closing(addon.streamPair(1 << 16));
    await spawn(await compileFixture('send-fds'), ['/dev/null'], { descriptors: [[3, there]] });
    await readable(here);
    const part = addon.receive(here, 2) as Packet;
    closing(part.fds);
    expect(part.data.length).toBe(2);
    expect(part.fds.map((fd) => fs.readlinkSync(`/proc/self/fd/${fd}`))).toEqual(['/dev/null']);
    expect(addon.receive(here, 99)).toMatchObject({ fds: [] });
    expect(failure(() => addon.listen(at))).toMatchObject({ code: 'EADDRINUSE' });
    expect(failure(() => addon.listen('x'.repeat(200)))).toMatchObject({ code: 'ENAMETOOLONG' });
  });

  test('a pipe gets another size', () => {
    const [output] = pipe();
    expect(addon.setPipeSize(output, 1 << 20)).toBe(true);
    expect(() => addon.setPipeSize(-1, 1 << 20)).toThrow('EBADF');
  });
});

test('signalAtEnd signals a process when the last writer of its pipe is closed', async () => {
  const [output, input] = pipe();
  const child = await spawn('/bin/sleep', ['1000'], { descriptors: [[3, output]] });
  addon.signalAtEnd(output, child.pid, os.constants.signals.SIGTERM);
  addon.close(output);
  addon.close(input);
  expect(await child.ended()).toEqual({ code: null, signal: os.constants.signals.SIGTERM });
});

describe('syncFiles', () => {
  test('writes the files of a directory to the disk, and skips links', async () => {
    const directory = await temporaryDirectory();
    fs.writeFileSync(path.join(directory, 'file'), 'x');
    fs.mkdirSync(path.join(directory, 'directory'));
    fs.symlinkSync('/nonexistent', path.join(directory, 'link'));
    expect(await addon.syncFiles(directory)).toBeUndefined();
  });

  test('rejects with the error of the call that failed', async () => {
    const directory = path.join(await temporaryDirectory(), 'missing');
    await expect(addon.syncFiles(directory)).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'opendir',
      path: directory,
    });
  });
});

describe('watch', () => {
  test('calls back each time the descriptor is readable', async () => {
    const [a, b] = socketpair();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      const watch = addon.watch(a, () => {
        const packet = addon.receive(a);
        if (packet) {
          seen.push(Buffer.from(packet.data).toString());
          if (seen.length < 3) addon.send(b, Buffer.from(`${seen.length}`));
          else addon.close(b);
        } else {
          seen.push(`${packet}`);
          watch.close();
          resolve();
        }
      });
      addon.send(b, Buffer.from('0'));
    });
    expect(seen).toEqual(['0', '1', '2', 'undefined']);
  });

  test('reports the end of a pipe and of a process', async () => {
    const [output, input] = pipe();
    addon.close(input);
    await readable(output);
    const child = await spawn('/bin/true');
    await readable(child.pidfd);
    expect(await child.ended()).toEqual({ code: 0, signal: null });
  });

  test('a descriptor has at most one open watch', async () => {
    const [a, b] = socketpair();
    const first = addon.watch(a, () => {});
    expect(failure(() => addon.watch(a, () => {}))).toMatchObject({ code: 'EEXIST' });
    const other = addon.watch(b, () => {});
    first.close();
    first.close();
    other.close();
    addon.send(b, Buffer.from('x'));
    await readable(a);
    first.close();
    first.ref();
    first.unref();
  });

  test('a closed watch never calls back', async () => {
    const [a, b] = socketpair();
    let calls = 0;
    const called = new Promise<void>((resolve) => {
      const watch = addon.watch(a, () => {
        calls++;
        watch.close();
        resolve();
      });
    });
    addon.send(b, Buffer.from('x'));
    const early = addon.watch(b, () => calls++);
    addon.send(a, Buffer.from('x'));
    early.close();
    await called;
    await sleep(20);
    expect(calls).toBe(1);
  });

  test('a paused watch calls back only after it is resumed', async () => {
    const [a, b] = socketpair();
    const [output, input] = pipe();
    let calls = 0;
    await new Promise<void>((resolve) => {
      const watch = addon.watch(a, () => {
        calls++;
        watch.close();
        resolve();
      });
      watch.pause();
      watch.pause();
      addon.send(b, Buffer.from('x'));
      addon.close(input);
      readable(output).then(() => {
        expect(calls).toBe(0);
        watch.resume();
        watch.resume();
      });
    });
    expect(calls).toBe(1);
  });

  test('refuses a descriptor that cannot be polled', () => {
    const file = openFile(addonFile);
    expect(failure(() => addon.watch(file, () => {}))).toMatchObject({ code: 'EPERM' });
    expect(failure(() => addon.watch(-1, () => {}))).toMatchObject({ code: 'EBADF' });
  });

  test('only a referenced watch keeps the process alive', async () => {
    const { stdout } = await script(`
      const [a, b] = native.socketpair();
      const watch = native.watch(a, () => { native.receive(a); watch.unref(); console.log('seen'); });
      watch.unref();
      watch.ref();
      setTimeout(() => native.send(b, Buffer.from('x')), 20).unref();
    `);
    expect(stdout).toBe('seen');
  });

  test('an exception in a callback is uncaught, and the watch continues', async () => {
    const { stdout } = await script(`
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      const [a, b] = native.socketpair();
      let calls = 0;
      const watch = native.watch(a, () => {
        native.receive(a);
        if (++calls === 2) return watch.close();
        process.nextTick(() => native.send(b, Buffer.from('2')));
        throw new Error('from the callback');
      });
      native.send(b, Buffer.from('1'));
      process.on('exit', () => console.log('calls', calls));
    `);
    expect(stdout.split('\n')).toEqual(['uncaught from the callback', 'calls 2']);
  });

  test('an unhandled exception ends the process', async () => {
    const result = await script(
      `const [a, b] = native.socketpair();
       native.watch(a, () => { throw new Error('unhandled') });
       native.close(b);`,
      { reject: false },
    );
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('Error: unhandled');
  });

  test('ticks and microtasks run directly after the callback that queued them', async () => {
    const { stdout } = await script(`
      const [a, b] = native.socketpair(), [c, d] = native.socketpair();
      const step = (name, fd) => {
        const watch = native.watch(fd, () => {
          watch.close();
          console.log(name, 'callback');
          process.nextTick(() => console.log(name, 'tick'));
          Promise.resolve().then(() => console.log(name, 'microtask'));
        });
      };
      step('first', a);
      step('second', c);
      native.close(b);
      native.close(d);
    `);
    const order = ['callback', 'tick', 'microtask'];
    expect(stdout.split('\n')).toEqual(
      ['first', 'second'].flatMap((name) => order.map((step) => `${name} ${step}`)),
    );
  });

  test('a watch outlives its collected object, and is freed when it is closed', async () => {
    const { stdout } = await script(
      `let calls = 0;
       for (let i = 0; i < 200; i++) {
         const [a, b] = native.socketpair();
         native.watch(a, () => { calls++; native.receive(a); if (calls >= 200) process.exit(); });
         native.watch(b, () => {}).close();
         setTimeout(() => { gc(); native.send(b, Buffer.from('x')); }, 5);
         if (i % 20 === 0) gc();
       }
       process.on('exit', () => console.log(calls));`,
      { nodeOptions: ['--expose-gc'] },
    );
    expect(stdout).toBe('200');
  });
});

describe('spawn', () => {
  test('reports the exit code', async () => {
    expect(await shell('exit 7')).toEqual({ text: '', code: 7, signal: null });
  });

  test('reports the signal that killed a program', async () => {
    const child = await spawn('/bin/sleep', ['1000']);
    expect(addon.wait(child.pidfd)).toBeNull();
    addon.pidfdSendSignal(child.pidfd, os.constants.signals.SIGTERM);
    expect(await child.ended()).toEqual({ code: null, signal: os.constants.signals.SIGTERM });
  });

  test('returns no status for a child that was reaped, or for a process that is not a child', async () => {
    const child = await spawn('/bin/true');
    await child.ended();
    expect(addon.wait(child.pidfd)).toBeUndefined();
    expect(failure(() => addon.pidfdSendSignal(child.pidfd, 0))).toMatchObject({ code: 'ESRCH' });
    const [parent] = closing([addon.pidfdOpen(process.ppid)]);
    expect(addon.wait(parent)).toBeUndefined();
  });

  test('passes arguments, environment and working directory, in UTF-8', async () => {
    const cwd = path.join(directory, 'ünder');
    fs.mkdirSync(cwd);
    const child = await spawn('/bin/sleep', ['1000'], { env: ['NAME=välue', 'EMPTY='], cwd });
    const proc = `/proc/${child.pid}`;
    // The kernel lets us go on a moment before it has laid out the new program's arguments.
    const commandLine = () => fs.readFileSync(`${proc}/cmdline`, 'utf8');
    await expect.poll(commandLine).toBe('/bin/sleep\x001000\0');
    expect(fs.readFileSync(`${proc}/environ`, 'utf8')).toBe('NAME=välue\0EMPTY=\0');
    expect(fs.readlinkSync(`${proc}/cwd`)).toBe(cwd);
    expect(await shell('printf "%s|" "$0" "$@"')).toMatchObject({ text: '/bin/sh|' });
  });

  test.each([
    ['ENOENT', 'a missing program', () => path.join(directory, 'missing')],
    ['EACCES', 'a file without execute permission', () => addonFileCopy(0o644)],
    ['ENOEXEC', 'a file of an unknown format', () => addonFileCopy(0o755, 'no program')],
  ])('rejects with %s for %s', async (code, _, program) => {
    const file = program();
    const before = openFiles().size;
    const request = { file, args: [file], env: [], descriptors: [[0, 0]] as const };
    const error = await rejection(addon.spawn(request));
    expect(error).toMatchObject({ code, syscall: 'execve', path: file });
    expect(error.message).toMatch(new RegExp(`^${code}: .*, execve '${file}'$`));
    expect(openFiles().size).toBe(before);
    expect(zombies()).toEqual([]);
  });

  test('rejects for a missing working directory, and throws for closed descriptors', async () => {
    const request = { file: '/bin/true', args: [], env: [], descriptors: [] };
    const cwd = path.join(directory, 'missing');
    expect(await rejection(addon.spawn({ ...request, cwd }))).toMatchObject({
      code: 'ENOENT',
      syscall: 'chdir',
      path: cwd,
    });
    expect(failure(() => addon.spawn({ ...request, descriptors: [[0, 99_999]] }))).toMatchObject({
      code: 'EBADF',
      syscall: 'fcntl',
    });
    expect(zombies()).toEqual([]);
  });

  test('the child has only the descriptors of the request', async () => {
    const [a] = socketpair();
    const file = openFile(addonFile);
    fs.closeSync(fs.openSync('/dev/null', 'r'));
    const child = await spawn('/bin/sleep', ['1000'], {
      descriptors: [
        [700, file],
        [3, a],
        [5, file],
      ],
    });
    const mine = openFiles();
    await expect
      .poll(() => descriptorsOf(child))
      .toEqual({
        3: mine.get(a),
        5: mine.get(file),
        700: mine.get(file),
      });
    const bare = await spawn('/bin/sleep', ['1000']);
    await expect.poll(() => descriptorsOf(bare)).toEqual({});
  });

  test('without close_range(2) the child has the same descriptors, and only open ones are closed', async () => {
    const code = `
      const native = require(${JSON.stringify(addonFile)});
      const fs = require('node:fs');
      const fds = Array.from({ length: 300 }, () => fs.openSync('/dev/null', 'r'));
      const start = (descriptors) =>
        native.spawn({ file: '/bin/sleep', args: ['sleep', '1000'], env: [], descriptors });
      Promise.all([start([[700, fds[9]], [5, fds[1]]]), start([])]).then((children) => {
        fs.writeSync(1, JSON.stringify(children.map(({ pid }) => pid)));
      });`;
    const [output, input] = pipe();
    const node = await spawn(process.execPath, ['-e', code], {
      env: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
      seccompFilter: withoutCloseRange(),
      descriptors: [
        [1, input],
        [2, input],
      ],
    });
    addon.close(input);
    const text = await readToEnd(output);
    expect(await node.ended()).toEqual({ code: 0, signal: null });
    const pids = JSON.parse(text) as [number, number];
    closers.push(() => {
      for (const pid of pids) process.kill(pid, 'SIGKILL');
    });
    const file = '/dev/null';
    await expect.poll(() => descriptorsOf({ pid: pids[0] })).toEqual({ 5: file, 700: file });
    await expect.poll(() => descriptorsOf({ pid: pids[1] })).toEqual({});
  });

  test('descriptors can swap places', async () => {
    const [a, b] = socketpair();
    const [c] = pipe();
    const mine = openFiles();
    const child = await spawn('/bin/sleep', ['1000'], {
      descriptors: [
        [a, b],
        [b, c],
        [c, a],
        [0, a],
      ],
    });
    await expect
      .poll(() => descriptorsOf(child))
      .toEqual({
        0: mine.get(a),
        [a]: mine.get(b),
        [b]: mine.get(c),
        [c]: mine.get(a),
      });
  });

  test('a descriptor can keep its number', async () => {
    const [output, input] = pipe();
    const child = await spawn('/bin/sh', ['-c', `echo kept >/proc/self/fd/${input}`], {
      descriptors: [[input, input]],
    });
    addon.close(input);
    expect(await readToEnd(output)).toBe('kept\n');
    expect(await child.ended()).toEqual({ code: 0, signal: null });
  });

  test('the child leads a new session only on request', async () => {
    const session = (pid: number) => procStat(pid)[5];
    const child = await spawn('/bin/sleep', ['1000'], { newSession: true });
    expect(session(child.pid)).toBe(`${child.pid}`);
    expect(session((await spawn('/bin/sleep', ['1000'])).pid)).toBe(session(process.pid));
  });

  test('the child has the umask of the request, and that of this process does not change', async () => {
    const before = procStatus('thread-self', 'Umask');
    const child = await spawn('/bin/sleep', ['1000'], { umask: 0o077 });
    expect(procStatus(child.pid, 'Umask')).toBe('0077');
    expect(procStatus((await spawn('/bin/sleep', ['1000'])).pid, 'Umask')).toBe(before);
    expect(procStatus('thread-self', 'Umask')).toBe(before);
  });

  test('the child starts with no signal blocked or ignored, and this process keeps its own', async () => {
    const signals = (pid: number | 'thread-self') =>
      ['SigBlk', 'SigIgn'].map((field) => BigInt(`0x${procStatus(pid, field)}`));
    const before = signals('thread-self');
    expect(before[1]).not.toBe(0n); // Node ignores SIGPIPE
    expect(signals((await spawn('/bin/sleep', ['1000'])).pid)).toEqual([0n, 0n]);
    expect(signals('thread-self')).toEqual(before);
  });

  test('a seccomp filter applies from the first instruction of the program', async () => {
    const { EPERM } = os.constants.errno;
    const target = path.join(directory, 'forbidden');
    const seccompFilter = denyMkdir(EPERM);
    const command = `/bin/mkdir ${target}; /bin/grep ^Seccomp: /proc/self/status`;
    const { text } = await shell(command, { seccompFilter });
    expect(text).toMatch(/mkdir: .*: Operation not permitted/);
    expect(text).toMatch(/^Seccomp:\s*2$/m);
    expect(fs.existsSync(target)).toBe(false);
  });

  test('rejects for a filter that the kernel refuses', async () => {
    const request = { file: '/bin/true', args: [], env: [], descriptors: [] };
    const seccompFilter = new Uint8Array(8).fill(255);
    expect(await rejection(addon.spawn({ ...request, seccompFilter }))).toMatchObject({
      code: 'EINVAL',
      syscall: 'seccomp',
    });
  });

  describe('while it starts', () => {
    test('the event loop goes on, and other programs start', async () => {
      const held = await heldProgram('/bin/sleep');
      let hasStarted = false;
      const child = spawn(held.file, ['1000']).then((started) => {
        hasStarted = true;
        return started;
      });
      expect(await (await spawn('/bin/true')).ended()).toEqual({ code: 0, signal: null });
      expect(hasStarted).toBe(false);
      await held.release();
      await child;
    });

    test('descriptors may be closed, and the working directory may change', async () => {
      const held = await heldProgram('/bin/sleep');
      const [, input] = pipe();
      const [sent, cwd] = [openFiles().get(input), process.cwd()];
      const child = spawn(held.file, ['1000'], { descriptors: [[3, input]] });
      addon.close(input);
      while (openFile('/dev/null') !== input);
      process.chdir('/');
      await held.release();
      const { pid } = await child;
      process.chdir(cwd);
      await expect.poll(() => descriptorsOf({ pid })).toEqual({ 3: sent });
      expect(fs.readlinkSync(`/proc/${pid}/cwd`)).toBe(cwd);
    });

    test('a worker may be terminated: nothing is left of the program when it has ended', async () => {
      const pidfds = () => [...openFiles().values()].filter((file) => file.startsWith('pidfd'));
      const before = pidfds();
      const held = await heldProgram('/bin/sleep');
      const request = { file: held.file, args: ['held', '0.1'], env: [], descriptors: [] };
      const worker = new Worker(
        `const { parentPort, workerData: [addon, request] } = require('node:worker_threads');
         require(addon).spawn(request);
         parentPort.postMessage('');`,
        { eval: true, workerData: [addonFile, request] },
      );
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
      await held.release();
      const isRunning = () =>
        childrenOf(process.pid).some((pid) => programOf(pid) === fileId(held.file));
      await expect.poll(isRunning).toBe(true);
      await expect.poll(() => [isRunning(), ...zombies()]).toEqual([false]);
      expect(pidfds()).toEqual(before);
    });
  });

  test('leaves no zombie and no descriptor', async () => {
    const before = openFiles().size;
    for (let i = 0; i < 20; i++) {
      const { pidfd } = await addon.spawn({
        file: '/bin/true',
        args: [],
        env: [],
        descriptors: [],
      });
      await readable(pidfd);
      expect(addon.wait(pidfd)).toEqual({ code: 0, signal: null });
      addon.close(pidfd);
    }
    expect(openFiles().size).toBe(before);
    expect(zombies()).toEqual([]);
  });
});

describe('wrong arguments', () => {
  const request = { file: '/bin/true', args: [], env: [], descriptors: [] };
  const untyped = addon as unknown as Record<string, (...args: unknown[]) => unknown>;

  test.each([
    ['send', 1, 'text'],
    ['send', 1, new Uint16Array(2)],
    ['send', '1', new Uint8Array(2)],
    ['receive'],
    ['receive', {}],
    ['receive', 1.5],
    ['receive', Number.NaN],
    ['receive', 2 ** 40],
    ['receive', 0, 'all'],
    ['receive', 0, 0],
    ['listen', 1],
    ['accept'],
    ['setPipeSize', 0],
    ['syncFiles', 1],
    ['signalAtEnd', 1, 2],
    ['watch', 0],
    ['watch', null, () => {}],
    ['pidfdOpen', 1n],
    ['pidfdSendSignal', 1, 'SIGTERM'],
    ['wait', Symbol('pidfd')],
    ['close', [3]],
    ['release'],
    ['spawn'],
    ['spawn', 'true'],
    ['spawn', null],
    ['spawn', {}],
    ['spawn', { ...request, file: 1 }],
    ['spawn', { ...request, file: '/bin/true\0' }],
    ['spawn', { ...request, args: 'no' }],
    ['spawn', { ...request, args: ['yes', 1] }],
    ['spawn', { ...request, env: [null] }],
    ['spawn', { ...request, env: { length: 1 } }],
    ['spawn', { ...request, descriptors: undefined }],
    ['spawn', { ...request, descriptors: [0, 1] }],
    ['spawn', { ...request, descriptors: [[0]] }],
    ['spawn', { ...request, descriptors: [[-1, 0]] }],
    ['spawn', { ...request, descriptors: [[0, -1]] }],
    [
      'spawn',
      {
        ...request,
        descriptors: [
          [4, 0],
          [4, 1],
        ],
      },
    ],
    ['spawn', { ...request, cwd: null }],
    ['spawn', { ...request, newSession: 1 }],
    ['spawn', { ...request, umask: '077' }],
    ['spawn', { ...request, ids: [0] }],
    ['spawn', { ...request, ids: [0, '0'] }],
    ['spawn', { ...request, cloneFlags: '0' }],
    ['spawn', { ...request, seccompFilter: [] }],
    ['spawn', { ...request, seccompFilter: new Uint8Array(7) }],
  ])('%s refuses values of the wrong type (case %#)', (name, ...args) => {
    expect(failure(() => untyped[name]?.(...args))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });

  test('the methods of a watch refuse another object', () => {
    const [a] = socketpair();
    const watch = addon.watch(a, () => {});
    for (const method of [watch.close, watch.ref, watch.unref])
      for (const object of [{}, undefined, 1, addon])
        expect(failure(() => method.call(object))).toBeInstanceOf(TypeError);
    watch.close();
  });

  test('a closed descriptor throws EBADF', () => {
    const [a, b] = addon.pipe();
    addon.close(a);
    addon.close(b);
    for (const action of [
      () => addon.close(a),
      () => addon.receive(a),
      () => addon.wait(a),
      () => addon.send(a, new Uint8Array(1)),
    ]) {
      expect(failure(action)).toMatchObject({ code: 'EBADF' });
    }
  });
});

describe('worker threads', () => {
  const fixture = path.resolve(import.meta.dirname, '../fixtures/native-worker.mjs');

  interface Holdings {
    readonly children: number[];
    readonly held: number[];
    readonly released: number[];
  }

  test('a terminated worker leaves only released descriptors, and no zombie', async () => {
    const sender = await compileFixture('send-fds');
    const sent = ['delta', 'epsilon'].map((name) => path.join(directory, name));
    for (const file of sent) fs.writeFileSync(file, '');
    const worker = new Worker(fixture, { workerData: { addon: addonFile, sender, files: sent } });
    const { children, held, released } = await new Promise<Holdings>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
    });
    expect(children.map((pid) => fs.existsSync(`/proc/${pid}`))).toEqual([true, true]);
    const before = openFiles();
    const files = held.map((fd) => before.get(fd));
    expect(files).toEqual(expect.arrayContaining([...sent, `pidfd of ${children[1]}`]));
    expect(files).not.toContain(undefined);

    await worker.terminate();
    const after = openFiles();
    expect([...after.values()].filter((file) => files.includes(file))).toEqual([]);
    expect(released.map((fd) => after.get(fd))).toEqual(released.map((fd) => before.get(fd)));
    closing(released);

    // The one that had ended is reaped at once, the other one when it ends.
    const [ended, sleeper] = children as [number, number];
    expect(fs.existsSync(`/proc/${ended}`)).toBe(false);
    await expect.poll(() => procStat(sleeper)[2]).toBe('S');
    process.kill(sleeper);
    await expect.poll(() => fs.existsSync(`/proc/${sleeper}`)).toBe(false);
  });

  test('the addon survives the last worker that loaded it', async () => {
    const sender = await compileFixture('send-fds');
    const workerData = { addon: addonFile, sender, files: [] };
    const { stdout } = await execa('node', [
      '-e',
      `const { Worker } = require('node:worker_threads');
       const { existsSync } = require('node:fs');
       const { setTimeout: sleep } = require('node:timers/promises');
       const start = () => new Promise((resolve, reject) => {
         const worker = new Worker(process.argv[1], { workerData: ${JSON.stringify(workerData)} });
         worker.once('error', reject).once('message', async ({ children }) => {
           await worker.terminate();
           process.kill(children[1]);
           while (existsSync('/proc/' + children[1])) await sleep(5);
           resolve();
         });
       });
       (async () => {
         for (let round = 0; round < 5; round++) await Promise.all([start(), start(), start()]);
         console.log('reaped');
       })();`,
      fixture,
    ]);
    expect(stdout).toBe('reaped');
  });

  test('a worker that exits by itself is cleaned up too', async () => {
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const native = require(workerData);
       const [a, b] = native.socketpair();
       const watch = native.watch(a, () => {});
       native.send(a, Buffer.from('x'));
       native.watch(b, () => {
         process.exit();
       });
       parentPort.postMessage([a, b]);`,
      { eval: true, workerData: addonFile },
    );
    const fds = new Promise<number[]>((resolve) => worker.once('message', resolve));
    const ended = new Promise<number>((resolve) => worker.once('exit', resolve));
    expect(await ended).toBe(0);
    for (const fd of await fds) expect(openFiles().get(fd) ?? '').not.toMatch(/^socket/);
  });
});

/** A copy of the addon (or another text) with these permissions: root, too, needs an x bit. */
function addonFileCopy(mode: number, text?: string): string {
  const file = path.join(directory, `copy-${mode.toString(8)}`);
  fs.writeFileSync(file, text ?? fs.readFileSync(addonFile), { mode });
  return file;
}

/** What a child has open; its dynamic linker opens libraries for a moment, so poll. */
function descriptorsOf({ pid }: Pick<Child, 'pid'>): Record<string, string> {
  const directory = `/proc/${pid}/fd`;
  const names = fs.readdirSync(directory);
  return Object.fromEntries(names.map((fd) => [fd, fs.readlinkSync(`${directory}/${fd}`)]));
}

/** The fields of /proc/pid/stat, the command's name (which may hold blanks) taken as one. */
function procStat(pid: number): string[] {
  const [, before, after] = /^(\d+) \(.*\) (.*)$/s.exec(
    fs.readFileSync(`/proc/${pid}/stat`, 'utf8'),
  ) as unknown as [string, string, string];
  return [before, '()', ...after.split(' ')];
}

function zombies(): number[] {
  return childrenOf(process.pid).filter((pid) => procStat(pid)[2] === 'Z');
}

type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/** The bytes of a BPF program. */
function bpf(instructions: readonly Instruction[]): Uint8Array {
  const program = Buffer.alloc(instructions.length * 8);
  for (const [i, [code, jt, jf, k]] of instructions.entries()) {
    program.writeUInt16LE(code, i * 8);
    program.writeUInt8(jt, i * 8 + 2);
    program.writeUInt8(jf, i * 8 + 3);
    program.writeUInt32LE(k, i * 8 + 4);
  }
  return program;
}

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const failWith = (errno: number) => 0x00050000 | errno;

/** mkdir(2) and mkdirat(2) fail with the error. */
function denyMkdir(errno: number): Uint8Array {
  const [mkdir, mkdirat] = process.arch === 'arm64' ? [34, 34] : [83, 258];
  return bpf([
    [0x20, 0, 0, 0], // load the number of the system call
    [0x15, 1, 0, mkdir as number],
    [0x15, 0, 1, mkdirat as number],
    [0x06, 0, 0, failWith(errno)],
    [0x06, 0, 0, ALLOW],
  ]);
}

/** close_range(2) fails with ENOSYS; close(2) of a descriptor from 1000 on kills the process. */
function withoutCloseRange(): Uint8Array {
  const close = process.arch === 'arm64' ? 57 : 3;
  return bpf([
    [0x20, 0, 0, 0], // load the number of the system call
    [0x15, 0, 1, 436],
    [0x06, 0, 0, failWith(os.constants.errno.ENOSYS)],
    [0x15, 0, 3, close],
    [0x20, 0, 0, 16], // load its first argument
    [0x35, 0, 1, 1000],
    [0x06, 0, 0, KILL_PROCESS],
    [0x06, 0, 0, ALLOW],
  ]);
}

/** Runs a script with the addon as `native` in a Node of its own. */
function script(code: string, { nodeOptions = [] as string[], reject = true } = {}) {
  const load = `const native = require(${JSON.stringify(addonFile)});`;
  return execa('node', [...nodeOptions, '-e', load + code], { reject });
}

describe('endTcpRepair', () => {
  test('does not change a descriptor that is not in repair mode', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => void server.close());
    const [pidfd] = closing([addon.pidfdOpen(process.pid)]);
    const tcp = (server as unknown as { _handle: { fd: number } })._handle.fd;
    const others = [...pipe(), ...socketpair(), tcp];
    expect(others.map((fd) => addon.endTcpRepair(pidfd as number, fd))).toEqual(
      others.map(() => false),
    );
    expect(() => addon.endTcpRepair(pidfd as number, 100_000)).toThrow(
      expect.objectContaining({ code: 'EBADF', syscall: 'pidfd_getfd' }),
    );
  });
});

describe('memoryCopy()', () => {
  const PRESENT = 4;
  const LAZY = 2;
  const IN_PARENT = 1;
  const ALL = 1;
  const BACKGROUND = 2;

  /** A process that rests, and its stack: address, number of pages, flags. */
  async function resting(): Promise<{ pid: number; stack: Float64Array }> {
    const file = path.join(await temporaryDirectory(), 'counted');
    const program = execa(await compileFixture('counter'), [file]);
    const pid = program.pid as number;
    closers.push(() => void process.kill(pid, 'SIGKILL'));
    program.catch(() => {});
    while (!fs.existsSync(file)) await sleep(5);
    process.kill(pid, 'SIGSTOP');
    const line = /^(\w+)-(\w+) rw-p .*\[stack\]$/m;
    const [, from = '', to = ''] = line.exec(fs.readFileSync(`/proc/${pid}/maps`, 'utf8')) ?? [];
    const [start, end] = [from, to].map((digits) => Number.parseInt(digits, 16)) as [
      number,
      number,
    ];
    return { pid, stack: Float64Array.of(start, (end - start) / addon.pageSize, LAZY) };
  }

  test.each([false, true])(
    'finds the pages that a process has, with hashes: %s',
    async (hashes) => {
      const { pid, stack } = await resting();
      const copy = addon.memoryCopy(hashes);
      copy.startRound();
      const first = await copy.compare(pid, stack, 0);
      expect(first).toMatchObject({ samePages: 0 });
      expect(first.changedPages).toBeGreaterThan(0);
      expect(first.entries[2]).toBe(PRESENT | LAZY);
      const written = fs.openSync(path.join(directory, `pages-${hashes}`), 'w+');
      await copy.write(written, first.entries, 0);
      const memory = fs.openSync(`/proc/${pid}/mem`, 'r');
      const [address = 0, count = 0] = first.entries;
      const expected = Buffer.alloc(count * addon.pageSize);
      fs.readSync(memory, expected, 0, expected.length, address);
      const pages = Buffer.alloc(expected.length);
      fs.readSync(written, pages, 0, pages.length, 0);
      expect(pages.equals(expected)).toBe(true);
      for (const fd of [written, memory]) fs.closeSync(fd);

      copy.startRound();
      const second = await copy.compare(pid, first.entries, ALL | BACKGROUND);
      expect(second).toMatchObject({ changedPages: 0, samePages: first.changedPages });
      expect(second.entries[2]).toBe(IN_PARENT);
      // What was not read in the round before is not the same, whatever it contains.
      copy.startRound();
      copy.startRound();
      const third = await copy.compare(pid, first.entries, ALL);
      expect(third).toMatchObject({ changedPages: first.changedPages, samePages: 0 });
      // What CRIU does not leave in the processes is not taken from a parent.
      copy.startRound();
      const eager = Float64Array.of(address, count, 0);
      expect((await copy.compare(pid, eager, ALL)).entries).toEqual(
        Float64Array.of(address, count, PRESENT),
      );
      expect(copy.size()).toBeGreaterThan(0);
      copy.free();
      expect(copy.size()).toBe(0);
    },
  );

  test.each([false, true])('compares with the pages of a file, with hashes: %s', async (hashes) => {
    const { pid, stack } = await resting();
    const copy = addon.memoryCopy(hashes);
    const { entries, changedPages } = await copy.compare(pid, stack, 0);
    const [address = 0, count = 0, , ...others] = entries;
    const file = fs.openSync(path.join(directory, `parent-${hashes}`), 'w+');
    await copy.write(file, entries, 0);
    copy.free();

    // Pages that are not present are skipped.
    const rest = [address + addon.pageSize, count - 1, PRESENT, ...others];
    await copy.load(file, Float64Array.of(address, 1, 0, ...rest), 0);
    copy.startRound();
    const found = { changedPages: 1, samePages: changedPages - 1 };
    expect(await copy.compare(pid, entries, ALL)).toMatchObject(found);

    // A page is compared with what was loaded for it last.
    copy.free();
    await copy.load(file, entries, 0);
    await copy.load(file, Float64Array.of(address, 1, PRESENT), addon.pageSize);
    copy.startRound();
    expect(await copy.compare(pid, entries, ALL)).toMatchObject(found);

    const long = Float64Array.of(...entries, 0, 1, PRESENT);
    await expect(copy.load(file, long, 0)).rejects.toMatchObject({
      code: 'ENODATA',
      syscall: 'pread',
    });
    fs.closeSync(file);
  });

  test('refuses what it cannot do', async () => {
    const { pid, stack } = await resting();
    const copy = addon.memoryCopy(false);
    copy.startRound();
    const running = copy.compare(pid, stack, 0);
    expect(() => copy.startRound()).toThrow('the copy is in use');
    await running;
    for (const entries of [[], new Float64Array(2), Float64Array.of(-1, 1, 0)]) {
      expect(() => copy.compare(pid, entries as Float64Array, 0)).toThrow('expected');
    }
    const nowhere = Float64Array.of(addon.pageSize, 1, 0);
    await expect(copy.compare(pid, nowhere, ALL)).rejects.toThrow('process_vm_readv');
    expect(await copy.compare(pid, nowhere, 0)).toMatchObject({ changedPages: 0, samePages: 0 });
    const missing = Float64Array.of(addon.pageSize, 1, PRESENT);
    await expect(copy.write(2, missing, 0)).rejects.toThrow('ENODATA');
    await expect(copy.compare(0x7fffffff, stack, 0)).rejects.toMatchObject({ code: 'ENOENT' });
    const { startRound } = copy;
    expect(() => startRound.call({} as typeof copy)).toThrow('not a copy of memory');
  });
});

describe('checksums()', () => {
  const key = Buffer.alloc(16, 1);
  const iv = Buffer.alloc(12, 2);
  const content = Buffer.alloc(3_000_001, 'any content that is not a multiple of a page ');

  function gmac(bytes: Uint8Array): string {
    const cipher = createCipheriv('aes-128-gcm', key, iv);
    cipher.setAAD(bytes);
    cipher.final();
    return cipher.getAuthTag().toString('hex');
  }

  test('are those of Node.js, at once and on a thread', async () => {
    const file = path.join(await temporaryDirectory(), 'file');
    fs.writeFileSync(file, content);
    const checksums = addon.checksums(key, iv);
    const expected = { bytes: content.length, checksum: gmac(content) };
    expect(checksums.small(file, content.length)).toEqual(expected);
    expect(checksums.small(file, content.length - 1)).toBeUndefined();
    expect(await checksums.file(file)).toEqual(expected);
    const missing = { code: 'ENOENT', syscall: 'open', path: `${file}.missing` };
    expect(() => checksums.small(missing.path, 1)).toThrow(expect.objectContaining(missing));
    await expect(checksums.file(missing.path)).rejects.toMatchObject(missing);
    await expect(checksums.file(path.dirname(file))).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('follow files of pages as they grow, one after the other', async () => {
    const images = await temporaryDirectory();
    const before = openFiles().size;
    const checksums = addon.checksums(key, iv);
    checksums.follow(images);
    const [first, second] = [7, 8].map((number) => {
      const name = `pages-${number}.img`;
      const file = path.join(images, name);
      for (let at = 0; at < content.length; at += 100_000) {
        fs.appendFileSync(file, content.subarray(at, at + 100_000));
      }
      const inode = fs.statSync(file).ino;
      return { name, inode, bytes: content.length, checksum: gmac(content) };
    });
    fs.writeFileSync(path.join(images, 'pages-x.img'), 'not one of them');
    expect(await checksums.followed()).toEqual([first, second]);
    checksums.close();
    checksums.close();
    expect(openFiles().size).toBe(before);
    // It can follow another dump, and be closed at any time.
    checksums.follow(images);
    checksums.close();
    expect(openFiles().size).toBe(before);
  });

  test('refuse what they cannot do', async () => {
    const checksums = addon.checksums(key, iv);
    expect(() => addon.checksums(iv, key)).toThrow('expected 16 and 12 bytes');
    expect(() => checksums.followed()).toThrow('follows no directory');
    expect(() => checksums.follow(`${directory}/missing`)).toThrow('ENOENT');
    checksums.follow(directory);
    expect(() => checksums.follow(directory)).toThrow('follows a directory already');
    const followed = checksums.followed();
    expect(() => checksums.followed()).toThrow('is asked already');
    checksums.close();
    expect(await followed).toEqual([]);
    checksums.close();
    const { close } = checksums;
    expect(() => close.call({} as typeof checksums)).toThrow('not an object for checksums');
  });

  test.each(['process.exit(0)', ''])('do not hinder the end of a process: %s', async (end) => {
    const script = `const addon = require(${JSON.stringify(addonFile)});
      const checksums = addon.checksums(Buffer.alloc(16), Buffer.alloc(12));
      checksums.follow(${JSON.stringify(directory)});
      ${end}`;
    const { exitCode } = await execa(process.execPath, ['-e', script]);
    expect(exitCode).toBe(0);
    const worker = new Worker(`${script.replace('process.exit(0)', '')}`, { eval: true });
    await new Promise((resolve) => worker.once('exit', resolve));
  });
});
