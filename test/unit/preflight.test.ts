import { closeSync, openSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cancellation } from '../../src/concurrency/cancellation.ts';
import { native } from '../../src/native/index.ts';
import { parseInet, parseMessages, parseUnix, socketsIn } from '../../src/netlink/sock-diag.ts';
import type { Subject } from '../../src/preflight/checks/check.ts';
import { pipes } from '../../src/preflight/checks/connections.ts';
import { protectionKeys } from '../../src/preflight/checks/memory.ts';
import { holdersOf } from '../../src/preflight/holders.ts';
import {
  countProtectionKeys,
  major,
  minor,
  parseFdInfo,
  parseMappings,
  parseMounts,
  parseStat,
  parseStatus,
} from '../../src/procfs/parse.ts';
import { eachOf } from '../../src/procfs/read.ts';

describe('the readers of /proc', () => {
  test('stat is read though the name has parentheses and spaces', () => {
    expect(parseStat('42 (a) b (c) S 7 42 40 34816 41 4194560 1 2')).toEqual({
      name: 'a) b (c',
      state: 'S',
      parent: 7,
      session: 40,
      terminal: 34816,
      foreground: 41,
    });
  });

  test('status tells of the tracer, the pids in each namespace, memory and capabilities', () => {
    const text = [
      'Name:\tnode',
      'State:\tt (tracing stop)',
      'Tgid:\t90',
      'TracerPid:\t17',
      'NSpid:\t90\t1',
      'NSsid:\t90\t0',
      'VmSwap:\t       8 kB',
      'RssAnon:\t     124 kB',
      'RssShmem:\t       4 kB',
      'CapInh:\t0000000000000000',
      'CapBnd:\t000001fffeffffff',
      'CapAmb:\t0000000000200000',
    ].join('\n');
    expect(parseStatus(text)).toEqual({
      state: 't',
      threadGroup: 90,
      tracer: 17,
      pids: [90, 1],
      sessions: [90, 0],
      anonymous: 126_976,
      swapped: 8192,
      shared: 4096,
      capabilities: { inheritable: 0n, bounding: 0x1fffeffffffn, ambient: 0x200000n },
    });
  });

  test('a kernel process has no memory in its status', () => {
    const { anonymous, sessions } = parseStatus('Name:\tkthreadd\nState:\tS (sleeping)\n');
    expect([anonymous, sessions]).toEqual([0, []]);
  });

  test('fdinfo tells of flags, mount and locks', () => {
    const text =
      'pos:\t0\nflags:\t02100002\nmnt_id:\t27\nino:\t9\nlock:\t1: FLOCK  ADVISORY  WRITE 5 fe:00:9 0 EOF\n';
    expect(parseFdInfo(text)).toMatchObject({
      flags: 0o2100002,
      mount: 27,
      locks: ['FLOCK  ADVISORY  WRITE 5 fe:00:9 0 EOF'],
      watches: [],
      process: undefined,
      terminal: undefined,
      mapType: undefined,
    });
  });

  test('fdinfo tells what is watched, with its handle if it has one', () => {
    const inotify =
      'flags:\t00\ninotify wd:2 ino:20d2 sdev:fe00001 mask:2 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:d2200000aabbccdd\n' +
      'inotify wd:1 ino:1 sdev:15 mask:2 ignored_mask:0 \n';
    expect(parseFdInfo(inotify).watches).toEqual([
      {
        inode: 0x20d2,
        device: '254:1',
        handle: { type: 1, bytes: Buffer.from('d2200000aabbccdd', 'hex') },
      },
      { inode: 1, device: '0:21', handle: undefined },
    ]);
    const fanotify =
      'fanotify flags:0 event-flags:8000\nfanotify mnt_id:1b mflags:0 mask:20 ignored_mask:0\n' +
      'fanotify ino:5 sdev:1b mflags:0 mask:20 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:0500000000000000\n';
    expect(parseFdInfo(fanotify).watches).toMatchObject([{ inode: 5, device: '0:27' }]);
  });

  test('fdinfo tells of pidfds, terminals and BPF maps', () => {
    expect(parseFdInfo('Pid:\t-1\nNSpid:\t-1\n').process).toBe(-1);
    expect(parseFdInfo('flags:\t02\ntty-index:\t24\n').terminal).toBe(24);
    expect(parseFdInfo('flags:\t02\nmap_type:\t22\n').mapType).toBe(22);
  });

  test('mounts are read with spaces in their paths and any number of optional fields', () => {
    const text =
      '22 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw\n' +
      '30 22 0:26 / /a\\040b rw - tmpfs tmpfs rw\n';
    expect(parseMounts(text)).toEqual([
      { id: 22, device: '254:0', point: '/', type: 'ext4' },
      { id: 30, device: '0:26', point: '/a b', type: 'tmpfs' },
    ]);
  });

  test('named mappings are read, with their links in map_files', () => {
    const text =
      '00400000-00401000 r--p 00000000 fe:00 12                         /usr/bin/a b (deleted)\n' +
      '7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n' +
      '7f0000001000-7f0000002000 rw-s 00000000 00:0f 9                  anon_inode:[io_uring]\n' +
      'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n';
    expect(parseMappings(text)).toEqual([
      { range: '400000-401000', device: 'fe:00', inode: 12, path: '/usr/bin/a b (deleted)' },
      {
        range: '7f0000001000-7f0000002000',
        device: '00:0f',
        inode: 9,
        path: 'anon_inode:[io_uring]',
      },
      {
        range: 'ffffffffff600000-ffffffffff601000',
        device: '00:00',
        inode: 0,
        path: '[vsyscall]',
      },
    ]);
  });

  test('device numbers come apart as stat has them', () => {
    const { rdev } = statSync('/dev/null');
    expect([major(rdev), minor(rdev)]).toEqual([1, 3]);
    expect([major(0x108823), minor(0x108823)]).toEqual([0x88, 0x123]);
  });
});

describe('protection keys', () => {
  const area = (key: string) =>
    `7f00-7f10 rw-p 00000000 00:00 0\nSize:  4 kB\nTHPeligible:    0\n${key}VmFlags: rd wr mr\n`;
  const smaps = ['ProtectionKey:         0\n', 'ProtectionKey:         1\n', ''].map(area).join('');

  test('only mappings with one that is not the default count', () => {
    expect(countProtectionKeys(smaps)).toBe(1);
    expect(countProtectionKeys(area(''))).toBe(0);
  });

  test('a process with some is warned about', () => {
    const stat = parseStat('5 (node) S 1 5 5 0 -1');
    const one = { pid: 5, stat, protectionKeys: countProtectionKeys(smaps) };
    const other = { pid: 6, stat, protectionKeys: 0 };
    const subject = { snapshot: { processes: [one, other] } } as unknown as Subject;
    expect(protectionKeys(subject)).toEqual([
      {
        code: 'PROTECTION_KEYS',
        severity: 'warning',
        pid: 5,
        message: expect.stringContaining('process 5 (node) has 1 mappings'),
        remedy: expect.stringContaining('--no-wasm-memory-protection-keys'),
      },
    ]);
  });
});

describe('sockets as the kernel tells of them', () => {
  const attribute = (type: number, value: Buffer) => {
    const header = Buffer.alloc(4);
    header.writeUInt16LE(4 + value.length, 0);
    header.writeUInt16LE(type, 2);
    return Buffer.concat([header, value, Buffer.alloc(-value.length & 3)]);
  };
  const number = (...values: number[]) => Buffer.from(new Uint32Array(values).buffer);

  test('a unix socket is read with its name, its peer and who waits', () => {
    const fixed = Buffer.alloc(16);
    fixed.set([1, 1, 10, 0]);
    fixed.writeUInt32LE(77, 4);
    const parts = [
      fixed,
      attribute(0, Buffer.from('\0hidden')),
      attribute(3, number(0, 5)),
      attribute(2, number(78)),
    ];
    expect(parseUnix(Buffer.concat(parts))).toEqual({
      inode: 77,
      family: 'unix',
      type: 'stream',
      state: 10,
      name: '@hidden',
      peer: 78,
      waiting: [0, 5],
      queued: 0,
    });
  });

  test('a TCP socket is read with its addresses', () => {
    const body = Buffer.alloc(72);
    body.set([2, 1]);
    body.writeUInt16BE(80, 4);
    body.writeUInt16BE(4000, 6);
    body.set([127, 0, 0, 1], 8);
    body.set([10, 0, 0, 2], 24);
    body.writeUInt32LE(3, 56);
    body.writeUInt32LE(99, 68);
    expect(parseInet(body)).toMatchObject({
      inode: 99,
      state: 1,
      name: '127.0.0.1:80 to 10.0.0.2:4000',
      queued: 3,
    });
    const v6 = Buffer.alloc(72);
    v6.set([10, 10]);
    v6.writeUInt16BE(443, 4);
    v6[23] = 1;
    expect(parseInet(v6)).toMatchObject({ state: 10, name: '[::1]:443' });
  });

  test('an answer ends, and an error is thrown', () => {
    const message = (type: number, body: Buffer) => {
      const header = Buffer.alloc(16);
      header.writeUInt32LE(16 + body.length, 0);
      header.writeUInt16LE(type, 4);
      return Buffer.concat([header, body]);
    };
    const seen: number[] = [];
    const use = (body: Buffer) => void seen.push(body.length);
    const part = message(20, Buffer.alloc(8));
    expect(parseMessages(Buffer.concat([part, part]), use)).toBe(false);
    expect(parseMessages(Buffer.concat([part, message(3, Buffer.alloc(4)), part]), use)).toBe(true);
    expect(seen).toEqual([8, 8, 8]);
    expect(() => parseMessages(message(2, Buffer.from(new Int32Array([-1]).buffer)), use)).toThrow(
      'error 1',
    );
  });
});

describe('what the addon sees', () => {
  let directory: string;
  let server: Server;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'preflight-'));
    server = createServer().listen(join(directory, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
  });
  afterAll(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });
  const fd = () => (server as unknown as { _handle: { fd: number } })._handle.fd;

  test.each(['own', 'named'])('sockets of this network namespace, the %s one', async (way) => {
    const netns = way === 'own' ? -1 : openSync('/proc/self/ns/net', 'r');
    const inode = Number(/\d+/.exec(readlinkSync(`/proc/self/fd/${fd()}`))?.[0]);
    const found = (await socketsIn(netns)).find((socket) => socket.inode === inode);
    expect(found).toMatchObject({ type: 'stream', state: 10, name: join(directory, 'socket') });
    if (netns >= 0) closeSync(netns);
  });

  test('what is no network namespace is refused', async () => {
    const file = openSync('/dev/null', 'r');
    await expect(socketsIn(file)).rejects.toMatchObject({ code: 'EINVAL' });
    closeSync(file);
  });

  test('the protocol of a socket, which other files do not have', () => {
    const attribute = (path: string) => native().getAttribute(path, 'system.sockprotoname');
    const name = attribute(`/proc/self/fd/${fd()}`);
    expect(Buffer.from(name).toString()).toBe('UNIX-STREAM\0');
    expect(() => attribute(directory)).toThrow(expect.objectContaining({ syscall: 'getxattr' }));
    expect(() => attribute('/no/such')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('handles that are none are refused', () => {
    const mount = openSync(directory, 'r');
    writeFileSync(join(directory, 'file'), '');
    expect(() => native().openByHandle(mount, 1, new Uint8Array(8))).toThrow(
      expect.objectContaining({ syscall: 'open_by_handle_at' }),
    );
    expect(() => native().openByHandle(mount, 1, new Uint8Array(1000))).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    );
    closeSync(mount);
  });
});

describe('the other end of a pipe, if there is no time to look for it', () => {
  const link = 'pipe:[123]';

  test('is not said to be closed', async () => {
    using limit = new Cancellation('preflight', { signal: AbortSignal.abort() });
    const { found, complete } = await holdersOf(new Set([link]), new Set(), process.pid, limit);
    expect([...found]).toEqual([]);
    expect(complete).toBe(false);
  });

  test('is an open question, of which a warning tells', () => {
    const descriptors = [{ fd: 3, link }];
    const snapshot = {
      processes: [{ pid: 42, stat: { name: 'node' }, descriptors }],
      holders: new Map(),
      openQuestions: new Set([link]),
    };
    const subject = { snapshot, options: {} } as unknown as Subject;
    expect(pipes(subject)).toMatchObject([
      {
        ...{ code: 'PIPE_OUTSIDE', severity: 'warning', pid: 42, fd: 3 },
        message: expect.stringContaining('there was no time to find out'),
      },
    ]);
  });
});

test('results come in the order of the items, whichever is done first', async () => {
  const slow = [30, 1, 20, 2];
  const results = await eachOf(
    slow,
    async (ms) => {
      await sleep(ms);
      return ms === 1 ? undefined : ms;
    },
    2,
  );
  expect(results).toEqual([30, 20, 2]);
});
