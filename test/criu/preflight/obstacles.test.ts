import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DumpOptions, PreflightCode } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { codesOf, startObstacle } from '../../helpers/obstacle.ts';
import { client, isAlive, temporaryDirectory } from '../../helpers/workload.ts';

interface Case {
  /** Kind and argument of the fixture. */
  readonly program: readonly [string, string?];
  readonly code: PreflightCode;
  /** A part of the message. */
  readonly names: RegExp;
  /** CRIU's own error. */
  readonly complaint: RegExp;
  /** Options with which the dump works. */
  readonly cure?: Omit<DumpOptions, 'imagesDirectory'>;
}

const MiB = 1 << 20;

const cases: Record<string, Case> = {
  'an io_uring': {
    program: ['io_uring'],
    code: 'IO_URING',
    names: /descriptor 3 of process \d+ \(obstacle\) is an io_uring/,
    complaint: /Message reply from daemon is trimmed|Can't retrieve FDs/,
  },
  'a mapped io_uring': {
    program: ['io_uring_mapping'],
    code: 'IO_URING',
    names: /has mapped an io_uring/,
    complaint: /Can't open \d+'s mapfile link/,
  },
  'a userfaultfd': {
    program: ['userfault'],
    code: 'UNSUPPORTED_DESCRIPTOR',
    names: /descriptor 3 .*anon_inode:\[userfaultfd\]/,
    complaint: /Can't dump file 3 .*userfaultfd/,
  },
  'a perf event': {
    program: ['perf'],
    code: 'UNSUPPORTED_DESCRIPTOR',
    names: /anon_inode:\[perf_event\]/,
    complaint: /Can't dump file 3 .*perf_event/,
  },
  'a mapped perf event': {
    program: ['perf_mapping'],
    code: 'UNSUPPORTED_MAPPING',
    names: /has mapped anon_inode:\[perf_event\]/,
    complaint: /Can't open \d+'s mapfile link/,
  },
  'a BPF map of a kind that no CRIU dumps': {
    program: ['bpf_queue'],
    code: 'UNSUPPORTED_DESCRIPTOR',
    names: /descriptor 3 .* BPF map of type 22/,
    complaint: /bpf-map|BPF map/,
  },
  'a character device': {
    program: ['open_path', '/dev/fuse'],
    code: 'UNSUPPORTED_DESCRIPTOR',
    names: /the device \/dev\/fuse/,
    complaint: /Can't dump file 3 .*chr 10:229/,
  },
  'a block device': {
    program: ['open_path', '/dev/loop0'],
    code: 'UNSUPPORTED_DESCRIPTOR',
    names: /the device \/dev\/loop0/,
    complaint: /Can't dump file 3 /,
  },
  'a tun device in the network namespace of the host': {
    program: ['open_path_rw', '/dev/net/tun'],
    code: 'UNSUPPORTED_DESCRIPTOR',
    names: /the device \/dev\/net\/tun/,
    complaint: /Net namespace is required/,
  },
  'a pidfd of a process outside': {
    program: ['pidfd', '1'],
    code: 'PIDFD_OUTSIDE',
    names: /descriptor 3 .* pidfd of process 1\b/,
    complaint: /pidfd pid 1 is not a part of process tree/,
  },
  'a pidfd of a thread': {
    program: ['pidfd_thread'],
    code: 'UNSUPPORTED_DESCRIPTOR',
    names: /descriptor 3 .* pidfd of thread \d+/,
    complaint: /PIDFD_THREAD|not a part of process tree/,
  },
  'a namespace that no process is in': {
    program: ['held_namespace'],
    code: 'NAMESPACE_OUTSIDE',
    names: /the namespace uts:\[\d+\]/,
    complaint: /No NS ID with kid/,
  },
  'a file on a mount that the tree does not have': {
    program: ['secret'],
    code: 'OUTSIDE_MOUNT_NAMESPACE',
    names: /\/secretmem .* on mount \d+/,
    complaint: /Can't lookup mount/,
  },
  'a big deleted file': {
    program: ['deleted_big', '@/file'],
    code: 'DELETED_FILE_TOO_BIG',
    names: /descriptor 3 .*\/file, which is deleted and has 2097152 bytes/,
    complaint: /Can't dump ghost file/,
    cure: { ghostLimit: 2 * MiB },
  },
  'a big deleted file that is mapped': {
    program: ['deleted_mapping', '@/file'],
    code: 'DELETED_FILE_TOO_BIG',
    names: /a mapped file .*\/file/,
    complaint: /Can't dump ghost file/,
    cure: { ghostLimit: 2 * MiB },
  },
  'a deleted file with another name': {
    program: ['deleted_linked', '@/file'],
    code: 'DELETED_FILE_LINKED',
    names: /descriptor 3 .*\/file, which is deleted but has 1 other name/,
    complaint: /Can't create link remap/,
    cure: { linkRemap: true },
  },
  'a flock': {
    program: ['lock_flock', '@/file'],
    code: 'FILE_LOCK',
    names: /descriptor 3 .*FLOCK ADVISORY WRITE.*\/file/,
    complaint: /Some file locks are hold/,
    cure: { fileLocks: true },
  },
  'a POSIX lock': {
    program: ['lock_posix', '@/file'],
    code: 'FILE_LOCK',
    names: /POSIX ADVISORY WRITE/,
    complaint: /Some file locks are hold/,
    cure: { fileLocks: true },
  },
  'a lock of an open file description': {
    program: ['lock_ofd', '@/file'],
    code: 'FILE_LOCK',
    names: /OFDLCK ADVISORY READ/,
    complaint: /Some file locks are hold/,
    cure: { fileLocks: true },
  },
  'a lease': {
    program: ['lease', '@/file'],
    code: 'FILE_LOCK',
    names: /LEASE ACTIVE READ/,
    complaint: /Some file locks are hold/,
    cure: { fileLocks: true },
  },
  'a watch on /proc': {
    program: ['watch', '/proc/self'],
    code: 'UNRESOLVED_WATCH',
    names: /descriptor 3 .* watches inode \d+ of proc /,
    complaint: /Can't dump that handle/,
  },
  'a watch on a deleted file in a tmpfs': {
    program: ['watch_deleted', `/dev/shm/node-criu-${process.pid}`],
    code: 'UNRESOLVED_WATCH',
    names: /watches inode \d+ of tmpfs /,
    complaint: /Can't find suitable path for handle/,
  },
  'System V shared memory of the host': {
    program: ['sysv'],
    code: 'SYSV_SHARED_MEMORY',
    names: /System V shared memory \d+/,
    complaint: /SysVIPC shmem map .* doesn't live in IPC ns/,
  },
  'a pipe in packet mode': {
    program: ['packet_pipe'],
    code: 'PACKET_PIPE',
    names: /descriptor [34] .* pipe:\[\d+\] in packet mode/,
    complaint: /packetized mode/,
  },
  'a client that hung up before it was accepted': {
    program: ['unix_closed', '@/socket'],
    code: 'UNIX_CONNECTION_BROKEN',
    names: /descriptor 3 .* unix socket \d+ ".*\/socket"/,
    complaint: /Found a closed in-flight socket/,
  },
  'a client that has sent data before it was accepted': {
    program: ['unix_waiting', '@/socket'],
    code: 'UNIX_IN_FLIGHT',
    names: /descriptor 4 .* unix socket \d+, which has sent data/,
    complaint: /Non-empty write queue on an in-flight socket/,
  },
  'an established TCP connection': {
    program: ['tcp_connected'],
    code: 'TCP_ESTABLISHED',
    names: /descriptor 4 .* 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+/,
    complaint: /Connected TCP socket/,
    cure: { tcpEstablished: true, networkLock: 'nftables' },
  },
  'an established TCP connection that is to be closed': {
    program: ['tcp_connected'],
    code: 'TCP_ESTABLISHED',
    names: /descriptor 4 /,
    complaint: /Connected TCP socket/,
    cure: { tcpClose: true },
  },
  'a half closed TCP connection': {
    program: ['tcp_half_closed'],
    code: 'TCP_ESTABLISHED',
    names: /descriptor 4 /,
    complaint: /Connected TCP socket/,
    cure: { tcpEstablished: true, networkLock: 'nftables' },
  },
  'a socket of an unknown kind': {
    program: ['some_socket', '40 1 0'],
    code: 'UNSUPPORTED_SOCKET',
    names: /socket:\[\d+\] of protocol AF_VSOCK/,
    complaint: /Unknown socket collected \(family 40\)/,
  },
  'multipath TCP': {
    program: ['mptcp'],
    code: 'UNSUPPORTED_SOCKET',
    names: /of protocol MPTCP/,
    complaint: /MPTCP|Unsupported proto/,
  },
  'a traced child': {
    program: ['trace'],
    code: 'TRACED',
    names: /is traced by process \d+/,
    complaint: /Unseizable non-zombie/,
  },
  'a pending SIGTRAP': {
    program: ['sigtrap'],
    code: 'SIGTRAP_PENDING',
    names: /a SIGTRAP waits for process \d+ \(obstacle\)/,
    complaint: /thread with a pending SIGTRAP/,
  },
  'a child in another namespace': {
    program: ['nested_uts'],
    code: 'NESTED_NAMESPACE',
    names: /in the uts namespace uts:\[\d+\]/,
    complaint: /nested uts namespace|Can't make utsns id/,
  },
};

describe.each(Object.entries(cases))('%s', (_title, one) => {
  test('is found, and makes the dump fail', async () => {
    const criu = client();
    const directory = await temporaryDirectory();
    const { pid } = await startObstacle(...one.program);
    const imagesDirectory = join(directory, 'failing');

    const findings = await criu.preflight(pid, { imagesDirectory });
    expect(codesOf(findings)).toEqual([one.code]);
    expect(findings[0]).toMatchObject({ severity: 'error', message: expect.any(String) });
    expect(findings[0]?.message).toMatch(one.names);
    expect(findings[0]?.remedy).toMatch(/^[A-Z].*\.$/);

    const error = await failureOf(criu.dump(pid, { imagesDirectory }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
    expect(`${error.message}\n${error.log?.errors.join('\n')}`).toMatch(one.complaint);
    expect(codesOf(error.findings)).toEqual([one.code]);

    if (!one.cure) return;
    expect(Object.keys(one.cure).some((name) => findings[0]?.remedy.includes(name))).toBe(true);
    const cured = { ...one.cure, imagesDirectory: join(directory, 'cured') };
    expect(await criu.preflight(pid, cured)).toEqual([]);
    await criu.dump(pid, { ...cured, leaveRunning: true });
    expect(await isAlive(pid)).toBe(true);
  });
});

test('finds connections that wait to be accepted, and skips them with tcpSkipInFlight', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const { pid } = await startObstacle('tcp_pending');
  const options = { tcpEstablished: true, networkLock: 'nftables' } as const;

  const findings = await criu.preflight(pid, options);
  expect(findings).toMatchObject([{ code: 'TCP_IN_FLIGHT', severity: 'error', pid, fd: 3 }]);
  expect(findings[0]?.message).toMatch(/127\.0\.0\.1:\d+ and has 1 connection /);
  const imagesDirectory = join(directory, 'failing');
  const error = await failureOf(criu.dump(pid, { ...options, imagesDirectory }));
  expect(error.message).toMatch(/In-flight connection/);
  expect(codesOf(error.findings)).toEqual(['TCP_IN_FLIGHT']);

  const skipping = { ...options, tcpSkipInFlight: true };
  expect(await criu.preflight(pid, skipping)).toEqual([]);
  // With its process left running CRIU takes the lock away again.
  await criu.dump(pid, {
    ...skipping,
    leaveRunning: true,
    imagesDirectory: join(directory, 'skipping'),
  });
});

test('warns about memory with a protection key, on processors that have them', async () => {
  const criu = client();
  const { pid } = await startObstacle('protection_key');
  const hasKeys = / ospke\b/.test(await readFile('/proc/cpuinfo', 'utf8'));
  const warning = { code: 'PROTECTION_KEYS', severity: 'warning', pid };
  expect(await criu.preflight(pid)).toMatchObject(hasKeys ? [warning] : []);
  // CRIU dumps it nevertheless, but does not restore the key.
  await criu.dump(pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
});

test('finds a program that is not in its own mount namespace', async () => {
  const criu = client();
  const { pid } = await startObstacle('new_mounts');
  const findings = await criu.preflight(pid, { root: '/' });
  expect(codesOf(findings)).toEqual(['OUTSIDE_MOUNT_NAMESPACE']);
  expect(findings[0]?.message).toMatch(/the program of process \d+ .*\/obstacle on mount \d+/);
  const error = await failureOf(
    criu.dump(pid, { imagesDirectory: join(await temporaryDirectory(), 'images') }),
  );
  expect(codesOf(error.findings)).toEqual(['OUTSIDE_MOUNT_NAMESPACE', 'ROOT_MISSING']);
});

test('finds a process whose first thread has ended, which cannot be dumped', async () => {
  const criu = client();
  const { pid } = await startObstacle('dead_leader');
  expect(await criu.preflight(pid)).toMatchObject([
    { code: 'DEAD_LEADER', severity: 'error', pid },
  ]);
  await failureOf(criu.dump(pid, { imagesDirectory: join(await temporaryDirectory(), 'images') }));
});
