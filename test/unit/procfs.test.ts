import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { estimateMemory } from '../../src/cli/memory-estimate.ts';
import { major, minor } from '../../src/procfs/device.ts';
import { parseFdInfo } from '../../src/procfs/fdinfo.ts';
import { mapFileOf, parseMaps } from '../../src/procfs/maps.ts';
import { parseMountInfo } from '../../src/procfs/mountinfo.ts';
import { parseEndpoints } from '../../src/procfs/net-tcp.ts';
import { eachOf } from '../../src/procfs/read.ts';
import { parseStat } from '../../src/procfs/stat.ts';
import { parseStatus, statusOf } from '../../src/procfs/status.ts';
import { childrenOf, readDescendants } from '../../src/procfs/tree.ts';
import { compileFixture } from '../helpers/compile.ts';
import { startProgram, temporaryDirectory, waitFor } from '../helpers/workload.ts';

describe('the parsers of /proc', () => {
  test('parses stat when the name contains parentheses and spaces', () => {
    expect(
      parseStat('42 (a) b (c) S 7 42 40 34816 41 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1234 9'),
    ).toEqual({
      name: 'a) b (c',
      state: 'S',
      parent: 7,
      group: 42,
      cpuTicks: 11,
      session: 40,
      terminal: 34816,
      foreground: 41,
      startTime: '1234',
      isDying: false,
    });
  });

  test.each([
    ['runs', 4194560, 0, false],
    ['exits', 4194564, 0, true],
    ['has a pending SIGTERM', 4194560, 1 << 14, false],
    ['has a pending SIGKILL', 4194560, 1 << 8, true],
  ])('a process that %s', (_, flags, pending, isDying) => {
    const before = `S 7 42 40 34816 41 ${flags} 1 2 3 4 5 6 7 8 20 0 1 0 1234 9 10 11 12 13 14 15 16`;
    expect(parseStat(`42 (a) ${before} ${pending} 0 0`)).toMatchObject({ isDying });
  });

  test('parses the tracer, the pids in each namespace, memory and capabilities from status', () => {
    const text = [
      'Name:\tnode',
      'State:\tt (tracing stop)',
      'Tgid:\t90',
      'PPid:\t7',
      'TracerPid:\t17',
      'Uid:\t1\t2\t3\t4',
      'Gid:\t5\t6\t7\t8',
      'NSpid:\t90\t1',
      'NSsid:\t90\t0',
      'VmSize:\t    1000 kB',
      'VmSwap:\t       8 kB',
      'RssAnon:\t     124 kB',
      'RssShmem:\t       4 kB',
      'SigPnd:\t0000000000000010',
      'ShdPnd:\t0000000000004000',
      'CapInh:\t0000000000000000',
      'CapEff:\t0000000001000000',
      'CapBnd:\t000001fffeffffff',
      'CapAmb:\t0000000000200000',
    ].join('\n');
    expect(parseStatus(text)).toEqual({
      name: 'node',
      state: 't',
      threadGroup: 90,
      parent: 7,
      tracer: 17,
      uids: [1, 2, 3],
      gids: [5, 6, 7],
      pids: [90, 1],
      sessions: [90, 0],
      anonymous: 126_976,
      swapped: 8192,
      shared: 4096,
      hasMemory: true,
      pendingSignals: 0x4010n,
      capabilities: {
        inheritable: 0n,
        effective: 0x1000000n,
        bounding: 0x1fffeffffffn,
        ambient: 0x200000n,
      },
    });
  });

  test('parses the status of a kernel thread, which has no memory', () => {
    const status = parseStatus('Name:\tkthreadd\nState:\tS (sleeping)\n');
    expect(status).toMatchObject({ anonymous: 0, sessions: [], hasMemory: false });
  });

  test('parses flags, mount and locks from fdinfo', () => {
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

  test('parses watched files from fdinfo, with the file handle if there is one', () => {
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

  test('parses pidfds, terminals and BPF maps from fdinfo', () => {
    expect(parseFdInfo('Pid:\t-1\nNSpid:\t-1\n').process).toBe(-1);
    expect(parseFdInfo('flags:\t02\ntty-index:\t24\n').terminal).toBe(24);
    expect(parseFdInfo('flags:\t02\nmap_type:\t22\n').mapType).toBe(22);
  });

  test('parses mounts with spaces in their paths and any number of optional fields', () => {
    const text =
      '22 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw\n' +
      '30 22 0:26 / /a\\040b rw - tmpfs tmpfs rw\n';
    expect(parseMountInfo(text)).toEqual([
      {
        ...{ id: 22, parent: 1, device: '254:0', root: '/', point: '/', shared: 1, master: 2 },
        ...{ type: 'ext4', options: ['rw'] },
      },
      {
        ...{ id: 30, parent: 22, device: '0:26', root: '/', point: '/a b' },
        ...{ type: 'tmpfs', options: ['rw'] },
      },
    ]);
  });

  test('parses mappings, and names their links in map_files', () => {
    const text =
      '00400000-00401000 r--p 00000000 fe:00 12                         /usr/bin/a b (deleted)\n' +
      '7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n' +
      '7f0000001000-7f0000002000 rw-s 00000000 00:0f 9                  anon_inode:[io_uring]\n' +
      'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n';
    const maps = parseMaps(text);
    expect(maps.map(({ path }) => path)).toEqual([
      '/usr/bin/a b (deleted)',
      '',
      'anon_inode:[io_uring]',
      '[vsyscall]',
    ]);
    expect(maps.map(mapFileOf)).toEqual([
      '400000-401000',
      '7f0000000000-7f0000001000',
      '7f0000001000-7f0000002000',
      'ffffffffff600000-ffffffffff601000',
    ]);
    expect(maps[2]).toEqual({
      start: 0x7f0000001000,
      end: 0x7f0000002000,
      permissions: 'rw-s',
      offset: 0,
      device: '00:0f',
      inode: 9,
      path: 'anon_inode:[io_uring]',
    });
  });

  test('splits device numbers as stat(2) returns them', () => {
    const { rdev } = statSync('/dev/null');
    expect([major(rdev), minor(rdev)]).toEqual([1, 3]);
    expect([major(0x108823), minor(0x108823)]).toEqual([0x88, 0x123]);
  });
});

test.each([
  ['0100007F:1F90', '0200A8C0:0050', 4, '127.0.0.1', 8080, '192.168.0.2', 80],
  [
    '00000000000000000000000001000000:0016',
    'B80D0120000000000000000001000000:FFFF',
    6,
    '0:0:0:0:0:0:0:1',
    22,
    '2001:db8:0:0:0:0:0:1',
    65535,
  ],
  // IPv4 through an IPv6 socket.
  [
    '0000000000000000FFFF00000100007F:0016',
    '0000000000000000FFFF00000300007F:1000',
    4,
    '127.0.0.1',
    22,
    '127.0.0.3',
    4096,
  ],
] as const)(
  'parses a connection of /proc/net/tcp: %s to %s',
  (local, remote, family, localAddress, localPort, remoteAddress, remotePort) => {
    expect(parseEndpoints(local, remote)).toEqual({
      family,
      local: { address: localAddress, port: localPort },
      remote: { address: remoteAddress, port: remotePort },
    });
  },
);

describe('the children of a process whose threads come and go', () => {
  async function startChurn(): Promise<{ pid: number; children: number[] }> {
    const file = join(await temporaryDirectory(), 'children');
    const { pid } = await startProgram(await compileFixture('thread-churn'), [file]);
    const read = () => readFile(file, 'latin1').catch(() => '');
    await waitFor(async () => (await read()).split('\n').length === 4, 'the children are there');
    return { pid, children: (await read()).trim().split('\n').map(Number) };
  }

  test('are all listed at every look', async () => {
    const { pid, children } = await startChurn();
    for (let look = 0; look < 100; look++) {
      expect(childrenOf(pid).sort((a, b) => a - b)).toEqual(children);
    }
  });

  test('are all counted in an estimate of the memory', async () => {
    const { pid, children } = await startChurn();
    const sizes = children.map((child) => statusOf(child)?.anonymous ?? 0);
    // Their parent has no less memory than each of them.
    const least = sizes.reduce((sum, size) => sum + size, Math.max(...sizes));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    for (let look = 0; look < 100; look++) {
      expect(estimateMemory(pid)).toBeGreaterThanOrEqual(least);
    }
  });

  test('are all found by the scan of all processes', async () => {
    const { pid, children } = await startChurn();
    for (let look = 0; look < 10; look++) {
      const [root, ...below] = await readDescendants(pid);
      expect(root).toBe(pid);
      expect(below.sort((a, b) => a - b)).toEqual(children);
    }
  });

  test('are none for a process that is gone', async () => {
    expect(childrenOf(0x3fffffff)).toEqual([]);
    expect(await readDescendants(0x3fffffff)).toEqual([0x3fffffff]);
  });
});

test('eachOf awaits the calls that have begun when one fails, and begins no other', async () => {
  let begun = 0;
  let ended = 0;
  const use = async (item: number) => {
    begun++;
    await sleep(10 * item);
    ended++;
    if (item === 1) throw new Error('the second fails');
  };
  await expect(eachOf([3, 1, 2, 2, 2], use, 2)).rejects.toThrow('the second fails');
  expect([begun, ended]).toEqual([2, 2]);
});

test('eachOf returns results in the order of the items, whichever finishes first', async () => {
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
