import { closeSync, openSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cancellation } from '../../src/concurrency/cancellation.ts';
import { native } from '../../src/native/index.ts';
import { socketsIn } from '../../src/netlink/sock-diag.ts';
import type { Subject } from '../../src/preflight/checks/check.ts';
import { pipes, socketsOfOldCriu } from '../../src/preflight/checks/connections.ts';
import { notLazy, protectionKeys } from '../../src/preflight/checks/memory.ts';
import { findOutsideOwners } from '../../src/preflight/outside-owners.ts';
import { parseProtectionKeys, parseSmaps } from '../../src/procfs/smaps.ts';
import { parseStat } from '../../src/procfs/stat.ts';

describe('protection keys', () => {
  const area = (key: string) =>
    `7f00-7f10 rw-p 00000000 00:00 0\nSize:  4 kB\nTHPeligible:    0\n${key}VmFlags: rd wr mr\n`;
  const smaps = ['ProtectionKey:         0\n', 'ProtectionKey:         1\n', ''].map(area).join('');

  test('counts only mappings with a key other than the default one', () => {
    expect(parseProtectionKeys(smaps)).toBe(1);
    expect(parseProtectionKeys(area(''))).toBe(0);
  });

  test('makes a warning for a process with protection keys', () => {
    const stat = parseStat('5 (node) S 1 5 5 0 -1');
    const one = { pid: 5, stat, protectionKeys: parseProtectionKeys(smaps) };
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

describe('memory that a dump cannot leave in the processes', () => {
  const area = (line: string, sizes: Record<string, number>, flags = '') =>
    [
      ...[line, 'Size: 100 kB'],
      ...Object.entries(sizes).map(([name, kib]) => `${name}:   ${kib} kB`),
      `VmFlags: rd wr mr ${flags}\n`,
    ].join('\n');
  const shared = '7f00-7f10 rw-s 00000000 00:01 9 /dev/zero (deleted)';
  const process = (pid: number, ...areas: string[]) => ({
    pid,
    memory: parseSmaps(areas.join('')),
  });
  const processes = [
    process(
      5,
      area('1000-2000 rw-p 00000000 00:00 0 [heap]', { Rss: 8, Anonymous: 8, Swap: 4 }),
      area('2000-3000 rw-p 00000000 00:00 0', { Rss: 4, Anonymous: 4 }, 'lo'),
      area('3000-4000 rw-p 00001000 08:01 7 /usr/bin/node', { Rss: 40, Anonymous: 12, Swap: 4 }),
      area('4000-5000 rw-p 00000000 00:00 0', { Private_Hugetlb: 2048 }, 'ht'),
      area('5000-6000 rw-s 00000000 08:01 8 /data', { Rss: 64, Anonymous: 0 }),
      area(shared, { Rss: 16, Anonymous: 0 }),
    ),
    process(6, area(shared, { Rss: 20, Anonymous: 0, Swap: 4 })),
  ];

  test('is counted by its kinds, and shared memory once', () => {
    const snapshot = { root: { pid: 5 }, processes };
    const of = (options: object) => notLazy({ snapshot, options } as unknown as Subject);
    expect(of({})).toEqual([]);
    const [finding] = of({ lazyPages: true });
    expect(finding).toMatchObject({ severity: 'info', pid: 5, bytes: (4 + 16 + 2048 + 24) * 1024 });
    expect(finding?.message).toContain(
      'locked memory (4096), changed pages of mapped files (16384), huge pages (2097152), shared memory (24576)',
    );
  });
});

describe('system calls of the preflight', () => {
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

  test.each(['own', 'named'])(
    'lists the sockets of this network namespace (%s descriptor)',
    async (way) => {
      const netns = way === 'own' ? -1 : openSync('/proc/self/ns/net', 'r');
      const inode = Number(/\d+/.exec(readlinkSync(`/proc/self/fd/${fd()}`))?.[0]);
      const found = (await socketsIn(netns)).find((socket) => socket.inode === inode);
      expect(found).toMatchObject({ type: 'stream', state: 10, name: join(directory, 'socket') });
      if (netns >= 0) closeSync(netns);
    },
  );

  test('rejects a descriptor that is not a network namespace', async () => {
    const file = openSync('/dev/null', 'r');
    await expect(socketsIn(file)).rejects.toMatchObject({ code: 'EINVAL' });
    closeSync(file);
  });

  test('reads the protocol of a socket, which other files do not have', () => {
    const attribute = (path: string) => native().getAttribute(path, 'system.sockprotoname');
    const name = attribute(`/proc/self/fd/${fd()}`);
    expect(Buffer.from(name).toString()).toBe('UNIX-STREAM\0');
    expect(() => attribute(directory)).toThrow(expect.objectContaining({ syscall: 'getxattr' }));
    expect(() => attribute('/no/such')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('rejects invalid file handles', () => {
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

describe('the other end of a pipe, without time to search for it', () => {
  const link = 'pipe:[123]';

  test('is not taken for closed', async () => {
    using limit = new Cancellation('preflight', { signal: AbortSignal.abort() });
    const links = new Set([link]);
    const { found, isComplete } = await findOutsideOwners(links, new Set(), process.pid, limit);
    expect([...found]).toEqual([]);
    expect(isComplete).toBe(false);
  });

  test('makes a warning', () => {
    const descriptors = [{ fd: 3, link }];
    const snapshot = {
      processes: [{ pid: 42, stat: { name: 'node' }, descriptors }],
      outsideOwners: new Map(),
      unknownPeers: new Set([link]),
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

describe('a CRIU that cannot dump sockets on this kernel', () => {
  const socketRefusal = 'CRIU 4.1.1 (/usr/sbin/criu) is too old';
  const of = (protocol: string, host: object) => {
    const stat = parseStat('5 (node) S 1 5 5 0 -1');
    const descriptors = [
      { fd: 1, link: '/dev/null' },
      { fd: 18, link: 'socket:[7]', protocol },
    ];
    const snapshot = { processes: [{ pid: 5, stat, descriptors }] };
    return socketsOfOldCriu({ snapshot, host } as unknown as Subject);
  };

  test.each(['TCP', 'TCPv6', 'UDP', 'PACKET'])('makes a warning for a socket of %s', (protocol) => {
    expect(of(protocol, { socketRefusal })).toEqual([
      {
        code: 'CRIU_TOO_OLD',
        severity: 'warning',
        pid: 5,
        fd: 18,
        message: `descriptor 18 of process 5 (node) is a socket of ${protocol}, and ${socketRefusal}`,
        remedy: 'Install CRIU 4.2 or newer.',
      },
    ]);
    expect(of(protocol, {})).toEqual([]);
  });

  test.each(['UNIX-STREAM', 'NETLINK'])('can dump a socket of %s', (protocol) => {
    expect(of(protocol, { socketRefusal })).toEqual([]);
  });
});
