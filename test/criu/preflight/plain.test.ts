import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { spawnCheckpointable } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { nodeOptions, nodePath } from '../../helpers/node-versions.ts';
import { codesOf, startObstacle } from '../../helpers/obstacle.ts';
import {
  client,
  isAlive,
  killAfterTest,
  processState,
  startProgram,
  temporaryDirectory,
  waitFor,
} from '../../helpers/workload.ts';

/** Starts a program in a mount namespace, in which its standard streams are opened again. */
const reopening = [
  ...['unshare', '--mount', 'sh', '-c'],
  ...['exec "$@" < /dev/null >> "$(readlink /proc/$$/fd/1)" 2>&1', 'sh'],
];

test.each([
  ['nothing special'],
  ['many descriptors', 'many', '300'],
  ['memory without a file that is shared', 'shared_memory'],
  ['a memfd', 'memfd'],
  ['a deleted file that is small', 'deleted_small', '@/file'],
  ['a deleted directory to work in', 'deleted_directory', '@/directory'],
  ['a watch on a directory', 'watch', '@'],
  ['a watch on a tmpfs', 'watch', '/dev/shm'],
  ['a watch on a device file system', 'watch', '/dev'],
  ['files and a watch in a directory to which chroot confines it', 'confined', '@'],
  ['a fanotify mark', 'mark_inode', '@'],
  ['a fanotify mark on a mount', 'mark_mount', '/tmp'],
  ['a pipe of its own', 'own_pipe'],
  ['a pair of sockets', 'pair'],
  ['a socket whose peer is gone', 'half_pair'],
  ['a unix server', 'unix_listen', '@/socket'],
  ['a unix server and a client that waits', 'unix_self', '@/socket'],
  ['a TCP server', 'tcp_listen'],
  ['bound sockets', 'tcp_bound'],
  ['a netlink socket', 'some_socket', '16 3 0'],
  ['a packet socket', 'some_socket', '17 3 0'],
  ['a raw socket', 'some_socket', '2 3 1'],
  ['a raw socket of IPv6', 'some_socket', '10 3 58'],
  ['a UDP-Lite socket', 'some_socket', '2 2 136'],
  ['a UDP-Lite socket of IPv6', 'some_socket', '10 2 136'],
  ['an epoll with a descriptor that was moved', 'epoll_gone'],
  ['a pidfd of its child', 'pidfd_child'],
  ['a zombie', 'zombie'],
  ['a stopped child', 'stopped_child'],
  ['a kernel log', 'open_path', '/dev/kmsg'],
])('a program with %s has nothing in its way', async (_title, kind = 'nothing', argument = '') => {
  const criu = client();
  const { pid } = await startObstacle(kind, argument);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  expect(await criu.preflight(pid, { imagesDirectory })).toEqual([]);
  await criu.dump(pid, { imagesDirectory, leaveRunning: true });
  expect(await isAlive(pid)).toBe(true);
});

test("finds nothing about System V memory in an IPC namespace of the tree's own", async () => {
  const criu = client();
  const { pid } = await startObstacle('sysv', '', ['unshare', '--ipc']);
  expect(await criu.preflight(pid)).toEqual([]);
  await criu.dump(pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
});

test('a program with huge pages that it shares has nothing in its way', async () => {
  const pages = '/proc/sys/vm/nr_hugepages';
  // CRIU recognizes them by one that it maps itself.
  const before = await readFile(pages, 'utf8');
  onTestFinished(() => writeFile(pages, before));
  await writeFile(pages, String(Number(before) + 4));
  const criu = client();
  const { pid } = await startObstacle('huge_pages');
  expect(await criu.preflight(pid)).toEqual([]);
  await criu.dump(pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
});

test('a program with the pipe of an autofs has nothing in its way', async () => {
  const criu = client();
  onTestFinished(async () => void (await execa('umount', ['--lazy', '/mnt'])));
  const { pid } = await startObstacle('autofs', '/mnt');
  expect(await criu.preflight(pid)).toEqual([]);
  await criu.dump(pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
});

test('a program confined to a mount of its namespace has only its files outside in its way', async () => {
  const mount = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /mnt && exec "$@"', 'sh'];
  const criu = client();
  const { pid } = await startObstacle('confined', '/mnt', mount);
  const findings = await criu.preflight(pid, { root: '/' });
  expect(codesOf(findings)).toEqual(['OUTSIDE_MOUNT_NAMESPACE']);
  expect(findings.every(({ message }) => !message.includes('/mnt'))).toBe(true);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error.message).toMatch(/Can't lookup mount/);
});

test.each([
  ['a child that left the mounts of its files has nothing in its way', 'pivoted_child'],
  ["a watch on a mount that only the namespace of a child has is in nobody's way", 'watch_apart'],
])('%s', async (_, obstacle) => {
  const criu = client();
  const directory = await temporaryDirectory();
  const { pid } = await startObstacle(obstacle, directory, reopening);
  expect(await criu.preflight(pid, { root: '/' })).toEqual([]);
  await criu.dump(pid, { imagesDirectory: join(directory, 'images'), leaveRunning: true });
});

test('finds nothing about a counting program', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const program = await spawnCheckpointable(await compileFixture('counter'), [
    join(directory, 'numbers'),
  ]);
  killAfterTest(program.pid);
  const imagesDirectory = join(directory, 'images');
  expect(await criu.preflight(program.pid, { imagesDirectory })).toEqual([]);
  await criu.dump(program.pid, { imagesDirectory });
  expect(await program.exited).toMatchObject({ signal: 'SIGKILL' });
});

test('finds nothing about a busy Node server', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const stdout = join(directory, 'out');
  const script = join(import.meta.dirname, '../../fixtures/busy-server.mjs');
  const args = [...nodeOptions(20), script, join(directory, 'numbers'), directory];
  const program = await spawnCheckpointable(nodePath(20), args, { stdout, cwd: directory });
  killAfterTest(program.pid);
  const port = async () => Number(await readFile(stdout, 'utf8'));
  await waitFor(async () => (await port()) > 0, 'the server listens');
  const state = await (await fetch(`http://127.0.0.1:${await port()}/`)).json();
  expect(state).toMatchObject({ child: expect.any(Number) });

  const imagesDirectory = join(directory, 'images');
  // The connection of fetch is still open, and is the obstacle.
  const findings = await criu.preflight(program.pid, { imagesDirectory });
  expect(findings.every(({ code }) => code === 'TCP_ESTABLISHED')).toBe(true);
  const options = { imagesDirectory, tcpClose: true };
  expect(await criu.preflight(program.pid, options)).toEqual([]);
  await criu.dump(program.pid, { ...options, leaveRunning: true });
});

test('reads a tree of 200 processes, and one of 10,000 descriptors, without blocking the event loop', async () => {
  const criu = client();
  const children = await startObstacle('children', '200');
  const many = await startObstacle('many', '10000', [
    'sh',
    '-c',
    'ulimit -n 10100 && exec "$@"',
    'sh',
  ]);
  for (const { pid } of [children, many]) {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 1);
    expect(await criu.preflight(pid)).toEqual([]);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  }
});

test('neither stops the program nor changes anything in it', async () => {
  const criu = client();
  const { pid } = await startObstacle('tcp_connected');
  let looking = true;
  const looked = criu.preflight(pid).finally(() => {
    looking = false;
  });
  const states = new Set<string | undefined>();
  while (looking) {
    states.add(await processState(pid));
    await sleep(0);
  }
  expect(await looked).not.toEqual([]);
  expect([...states].every((state) => state === 'S' || state === 'R')).toBe(true);
  expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/^TracerPid:\s0$/m);
});

test('ignores processes that end while they are read', async () => {
  const criu = client();
  const program = await startObstacle('children', '100');
  const looking = criu.preflight(program.pid);
  await sleep(5);
  program.kill('SIGKILL');
  const outcome = await looking.catch((error) => error.code);
  expect(outcome === 'ERR_CRIU_NO_SUCH_PROCESS' || Array.isArray(outcome)).toBe(true);
});

test('finds nothing about a program that starts short-lived processes all the time', async () => {
  const criu = client();
  const script = 'while :; do /bin/true & /bin/true & wait; done';
  const { pid } = await startProgram('/bin/bash', ['-c', script]);
  for (let looks = 0; looks < 150; looks++) {
    const findings = await criu.preflight(pid);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  }
});

test('a dump that a hook refuses has no findings', async () => {
  const criu = client();
  const { pid } = await startObstacle('nothing');
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const hooks = {
    postDump() {
      throw new Error('no');
    },
  };
  const error = await failureOf(criu.dump(pid, { imagesDirectory, hooks }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK' });
  expect(error).not.toHaveProperty('findings');
});
