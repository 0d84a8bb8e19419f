import { readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { checkpointText } from '../../src/cli/checkpoint-text.ts';
import { processTree, subtreeOf } from '../../src/cli/process-tree-text.ts';
import { fitted, printable, table } from '../../src/cli/text-layout.ts';
import { redactArguments, redactEnvironment } from '../../src/images/description/secrets.ts';
import { type DescribedProcess, describeCheckpoint } from '../../src/images.ts';
import { CriuError } from '../../src/index.ts';
import { seeded } from '../helpers/random.ts';
import { sample, testSeed } from '../helpers/sample.ts';
import { temporaryDirectory } from '../helpers/workload.ts';
import {
  core,
  ids,
  inventory,
  mm,
  PAGE,
  pagemap,
  pagesOf,
  vma,
  type WrittenImages,
  writeImages,
  writePages,
} from '../helpers/written-checkpoint.ts';

const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const opts = {
  ...{ so_sndbuf: 1, so_rcvbuf: 1, so_snd_tmo_sec: 0n, so_snd_tmo_usec: 0n },
  ...{ so_rcv_tmo_sec: 0n, so_rcv_tmo_usec: 0n },
};
const entry = (pid: number, ppid: number, more: object = {}) => {
  return { pid, ppid, pgid: 7, sid: 7, threads: [pid], ...more };
};

/** Files of most types: the field, and its properties. */
const files = [
  ['REG', 'reg', { flags: 1, pos: 0n, fown, name: '/usr/bin/app', size: 9n, mode: 0o100755 }],
  ['REG', 'reg', { flags: 2, pos: 8n, fown, name: '/tmp/gone' }],
  ['PIPE', 'pipe', { pipe_id: 50, flags: 0, fown }],
  ['PIPE', 'pipe', { pipe_id: 50, flags: 1, fown }],
  [
    'INETSK',
    'isk',
    {
      ...{
        ino: 60,
        family: 10,
        type: 1,
        proto: 6,
        state: 1,
        src_port: 80,
        dst_port: 4000,
        flags: 2,
      },
      ...{ backlog: 0, src_addr: [0, 0, 0, 0x1000000], dst_addr: [0, 0, 0, 0x1000000], fown, opts },
    },
  ],
  [
    'UNIXSK',
    'usk',
    {
      ...{ ino: 70, type: 2, state: 7, flags: 2, uflags: 0, backlog: 0, peer: 71, fown, opts },
      name: Buffer.from('\0bus'),
    },
  ],
  [
    'UNIXSK',
    'usk',
    {
      ...{ ino: 71, type: 2, state: 7, flags: 2, uflags: 1, backlog: 0, peer: 0, fown, opts },
      name: Buffer.from('/dev/log\0'),
    },
  ],
  ['EVENTFD', 'efd', { flags: 2, fown, counter: 3n }],
  ['EVENTPOLL', 'epfd', { flags: 2, fown, tfd: [{ id: 9, tfd: 4, events: 0x19, data: 0n }] }],
  ['SIGNALFD', 'sgfd', { flags: 2, fown, sigmask: (1n << 1n) | (1n << 14n) }],
  [
    'TIMERFD',
    'tfd',
    {
      ...{ flags: 2, fown, clockid: 1, ticks: 0n, settime_flags: 0 },
      ...{ vsec: 1n, vnsec: 500_000_000n, isec: 0n, insec: 250_000_000n },
    },
  ],
  ['MEMFD', 'memfd', { flags: 2, pos: 0n, fown, inode_id: 5 }],
  ['PIDFD', 'pidfd', { ino: 1, flags: 2, nspid: 8, fown }],
] as const;

/** A tree of a running, a stopped and two ended processes, with the files above. */
const images: WrittenImages = {
  'inventory.img': ['INVENTORY', { ...inventory, compress: 1 }],
  'pstree.img': [
    'PSTREE',
    entry(7, 0, { threads: [7, 9] }),
    entry(8, 7),
    entry(10, 7, { threads: undefined }),
    entry(11, 8, { threads: undefined }),
  ],
  'core-7.img': ['CORE', core('app')],
  'core-9.img': [
    'CORE',
    { mtype: 'X86_64', thread_core: { futex_rla: 0n, futex_rla_len: 0, comm: 'pool' } },
  ],
  'core-8.img': ['CORE', core('child', { task_state: 3, stop_signo: 19 })],
  'core-10.img': ['CORE', core('ended', { task_state: 6, exit_code: 3 << 8 })],
  'core-11.img': ['CORE', core('killed', { task_state: 6, exit_code: 9 })],
  'ids-7.img': ['IDS', ids(2)],
  'ids-8.img': ['IDS', ids(2)],
  'fs-7.img': ['FS', { cwd_id: 99, root_id: 98, umask: 18 }],
  'fdinfo-2.img': [
    'FDINFO',
    ...files.map(([type], index) => ({ id: index + 1, flags: 0, type, fd: index })),
  ],
  'files.img': [
    'FILES',
    ...files.map(([type, field, own], index) => {
      return { type, id: index + 1, [field]: { id: index + 1, ...own } };
    }),
  ],
  'remap-fpath.img': ['REMAP_FPATH', { orig_id: 2, remap_id: 26, remap_type: 'GHOST' }],
  'ghost-file-1a.img': [
    'GHOST_FILE',
    { message: { uid: 0, gid: 0, mode: 0o100600 }, payload: Buffer.alloc(123) },
  ],
  'pipes-data.img': [
    'PIPES_DATA',
    { message: { pipe_id: 50, bytes: 2 }, payload: Buffer.alloc(2) },
  ],
  'sk-queues.img': ['SK_QUEUES', { message: { id_for: 6, length: 4 }, payload: Buffer.alloc(4) }],
  'tcp-stream-3c.img': [
    'TCP_STREAM',
    {
      message: {
        ...{ inq_len: 5, inq_seq: 0, outq_len: 1, outq_seq: 0, opt_mask: 0, snd_wscale: 0 },
        mss_clamp: 0,
      },
      payload: { inq: Buffer.alloc(5), outq: Buffer.alloc(1) },
    },
  ],
  'memfd.img': [
    'MEMFD_INODE',
    { name: 'cache', uid: 0, gid: 0, size: 64n, shmid: 33, seals: 2, inode_id: 5n },
  ],
  'filelocks.img': ['FILE_LOCKS', { flag: 2, type: 1, pid: 7, fd: 1, start: 0n, len: 0n }],
  'mm-7.img': [
    'MM',
    mm(
      [
        vma(16, 4, { status: 1 | (1 << 5) }),
        vma(32, 4, { shmid: 12n, flags: 1, status: 1 | (1 << 7) | (1 << 14), prot: 1 }),
        vma(64, 8),
      ],
      {
        ...{ mm_arg_start: 16n * 4096n, mm_arg_end: 16n * 4096n + 22n },
        ...{ mm_env_start: 17n * 4096n, mm_env_end: 17n * 4096n + 19n },
      },
    ),
  ],
  'pagemap-7.img': pagemap(1, [
    [16, 1, 4],
    [17, 1, 1],
    [64, 2, 4],
    [66, 1, 2],
  ]),
  'pagemap-shmem-33.img': pagemap(2, [[1, 2, 4]]),
};

async function writtenCheckpoint(): Promise<string> {
  const directory = await temporaryDirectory();
  await writeImages(directory, images);
  await writePages(directory, 1, pagesOf('app\0--token\0hunter2\0\0\0', 'x', 'x'));
  const parent = join(directory, 'round');
  await writeImages(parent, {
    'inventory.img': ['INVENTORY', inventory],
    'pagemap-7.img': pagemap(1, [[17, 1, 4]]),
  });
  await writePages(parent, 1, pagesOf('HOME=/\0MY_PASSWORD='));
  await symlink('round', join(directory, 'parent'));
  return directory;
}

test('processes have their states, and command lines from the rounds that have them', async () => {
  const directory = await writtenCheckpoint();
  const { processes, memory, parents, needs, locks, pipes } = await describeCheckpoint(directory);
  expect(processes).toMatchObject([
    {
      ...{ pid: 7, name: 'app', state: 'alive', umask: 18 },
      threads: [
        { tid: 7, name: 'app' },
        { tid: 9, name: 'pool' },
      ],
      args: ['app', '--token', '[redacted]'],
      environment: ['HOME=/', 'MY_PASSWORD=[redacted]'],
    },
    { pid: 8, state: 'stopped', stopSignal: 'SIGSTOP', args: undefined, mappings: [] },
    { pid: 10, state: 'zombie', exitCode: 3, exitSignal: undefined, descriptors: [] },
    { pid: 11, state: 'zombie', exitCode: undefined, exitSignal: 'SIGKILL' },
  ]);
  const sizes = { bytesInParents: 0, bytesLazy: 0 };
  expect(processes[0]?.mappings).toMatchObject([
    { start: '0x10000', kind: 'heap', bytesStored: PAGE, bytesInParents: PAGE },
    { kind: 'memfd', protection: 'r--s', path: 'memfd:cache', shared: 33, bytesStored: 2 * PAGE },
    { kind: 'anonymous', protection: 'rw-p', bytesStored: 2 * PAGE, bytesLazy: PAGE },
  ]);
  expect(memory).toEqual([
    { pid: 7, shared: undefined, bytesStored: 3 * PAGE, bytesInParents: PAGE, bytesLazy: PAGE },
    { pid: undefined, shared: 33, bytesStored: 2 * PAGE, ...sizes },
  ]);
  expect(parents).toMatchObject([{ directory: join(directory, 'round'), bytesStored: PAGE }]);
  expect(locks).toEqual([{ pid: 7, fd: 1, kind: 'flock', access: 'write', start: 0, length: 0 }]);
  expect(pipes).toEqual([
    {
      ...{ inode: 50, path: undefined, bytesQueued: 2 },
      readers: [7, 8].map((pid) => ({ pid, fd: 2 })),
      writers: [7, 8].map((pid) => ({ pid, fd: 3 })),
    },
  ]);
  expect(needs).toMatchObject({
    ...{ criu: '4.3', architecture: 'x86_64', pids: [7, 8, 9, 10, 11], bytesLazy: PAGE },
    options: [
      { option: 'tcpEstablished' },
      { option: 'fileLocks' },
      { option: 'externalUnixConnections' },
    ],
    addresses: [{ protocol: 'tcp', address: '::1', port: 80, isListening: false }],
    files: [{ path: '/usr/bin/app', size: 9 }],
  });
});

test('files of all types have their properties, and a line for a person', async () => {
  const { files: described } = await describeCheckpoint(await writtenCheckpoint());
  expect(described.map(({ text }) => text)).toEqual([
    '/usr/bin/app',
    '/tmp/gone (deleted)',
    'pipe:[50]',
    'pipe:[50]',
    'tcp [::1]:80 → [::1]:4000 ESTABLISHED',
    'unix dgram @bus → outside /dev/log CLOSE',
    'unix dgram /dev/log CLOSE',
    'eventfd, counter 3',
    'epoll, watches 4',
    'signalfd SIGINT SIGTERM',
    'timerfd monotonic, expires in 1500 ms, every 250 ms',
    'memfd:cache',
    'pidfd of process 8',
  ]);
  expect(described).toMatchObject([
    {
      type: 'regular',
      flags: ['O_WRONLY'],
      users: [
        { pid: 7, fd: 0 },
        { pid: 8, fd: 0 },
      ],
    },
    { position: 8, deleted: { kept: 'ghost', bytesStored: 123 } },
    { type: 'pipe', end: 'read' },
    { type: 'pipe', end: 'write' },
    { bytesReceived: 5, bytesUnacknowledged: 1, remote: { address: '::1', port: 4000 } },
    { path: '@bus', isPeerOutside: true, messagesQueued: 1, bytesQueued: 4 },
    { path: '/dev/log' },
    { counter: 3 },
    { watches: [{ fd: 4, events: ['EPOLLIN', 'EPOLLERR', 'EPOLLHUP'] }] },
    { signals: ['SIGINT', 'SIGTERM'] },
    { remainingMs: 1500, intervalMs: 250 },
    { name: 'cache', size: 64, seals: ['F_SEAL_SHRINK'], shared: 33 },
    { type: 'pidfd' },
  ]);
});

test('secrets are redacted by names and by forms', () => {
  const shown = ['PATH=/bin', 'SSH_AUTH_SOCK=/run/x', 'PWD=/srv', 'TOKEN_FILE=/run/t', 'KEYMAP=de'];
  expect(redactEnvironment(shown)).toEqual(shown);
  const secret = [
    'API_KEY',
    'aws_secret_access_key',
    'PGPASSWORD',
    'MYSQL_PWD',
    'JWT',
    'NPM_TOKEN',
  ];
  expect(redactEnvironment(secret.map((name) => `${name}=x`))).toEqual(
    secret.map((name) => `${name}=[redacted]`),
  );
  expect(
    redactEnvironment(['URL=redis://:pw@h/0', 'U=https://me:pw@h', `G=ghp_${'a'.repeat(36)}`]),
  ).toEqual([...['URL=redis://:[redacted]@h/0', 'U=https://me:[redacted]@h', 'G=[redacted]']]);
  expect(redactArguments(['app', '--api-key', 'x', '--password=y', '-v', '--port', '80'])).toEqual([
    ...['app', '--api-key', '[redacted]', '--password=[redacted]', '-v', '--port', '80'],
  ]);
  // An option that switches something off has no value.
  const node = ['node', '--no-wasm-memory-protection-keys', 'app.js'];
  expect(redactArguments(node)).toEqual(node);
});

test('a tree is shown once, also if its processes are their own parents or very deep', () => {
  const process = (pid: number, ppid: number) =>
    ({ pid, ppid, name: `p${pid}`, state: 'alive', threads: [] }) as unknown as DescribedProcess;
  const options = { commands: true, environments: false };
  expect(
    processTree([process(1, 0), process(2, 1), process(3, 1), process(4, 2)], options),
  ).toEqual([...['1 p1', '├─ 2 p2', '│  └─ 4 p4', '└─ 3 p3']]);
  expect(processTree([process(1, 2), process(2, 1), process(3, 3)], options)).toEqual([
    ...['3 p3', '1 p1', '└─ 2 p2'],
  ]);
  expect(subtreeOf([process(1, 2), process(2, 1), process(3, 3)], 2)).toHaveLength(2);
  const deep = Array.from({ length: 3000 }, (_, index) => process(index + 1, index));
  expect(processTree(deep, options)).toHaveLength(3000);
});

test('text from images cannot control the terminal, and long lines are broken where they fit', () => {
  expect(printable('a\u001b[2J\u202e\udc80b')).toBe('a\\x1b[2J\\u{202e}\\u{dc80}b');
  expect(
    table([
      ['a', 'b'],
      ['ccc', 'd'],
    ]),
  ).toEqual(['a    b', 'ccc  d']);
  expect(fitted(['  one two three four five six'], 20)).toEqual([
    '  one two three four',
    '      five six',
  ]);
  expect(fitted([`  ${'x'.repeat(30)}`], 20)).toEqual([
    `  ${'x'.repeat(18)}`,
    `      ${'x'.repeat(12)}`,
  ]);
  expect(fitted(['x'.repeat(300)], undefined)).toEqual(['x'.repeat(300)]);
});

test('no text of a checkpoint reaches the terminal with control characters', async () => {
  const directory = await writtenCheckpoint();
  const evil = 'x\u001b[2J\u009b\u202ey';
  const reg = { id: 1, flags: 0, pos: 0n, fown, name: `/${evil}` };
  await writeImages(directory, {
    'core-7.img': ['CORE', core(evil)],
    'files.img': ['FILES', { type: 'REG', id: 1, reg }, { type: 'REG', id: 99, reg }],
    'mountpoints-3.img': [
      'MNTS',
      {
        ...{ fstype: 16, fsname: evil, mnt_id: 1, root_dev: 1, parent_mnt_id: 1, flags: 0 },
        ...{ root: evil, mountpoint: evil, source: evil, options: evil, ext_mount: true },
      },
    ],
    'cgroup.img': ['CGROUP', { sets: [{ id: 1, ctls: [{ name: evil, path: evil }] }] }],
  });
  await writePages(directory, 1, pagesOf(`${evil}\0--token\0x\0\0\0`.slice(0, 22), 'x', 'x'));
  const host = { name: evil, architecture: evil, kernel: evil, bootId: evil, pageSize: PAGE };
  const manifest = {
    ...{ formatVersion: 1, kind: 'dump', createdAt: evil, host, criu: evil, pid: 7, processes: [] },
    ...{ options: {}, restore: { options: {}, external: [], namespaces: [] }, bytes: 0, files: {} },
    checksum: { algorithm: 'AES-128-GMAC', key: '0'.repeat(32), iv: '0'.repeat(24) },
  };
  await writeFile(join(directory, 'node-criu.json'), JSON.stringify(manifest));
  const checkpoint = await describeCheckpoint(directory);
  expect(checkpoint).toMatchObject({ writtenAt: evil, host, mounts: [{ external: evil }] });
  const text = checkpointText(checkpoint, { all: true }, undefined);
  expect(text).toContain('x\\x1b[2J\\x9b\\u{202e}y');
  expect(stripVTControlCharacters(text).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(text).not.toContain('\u001b[2J');
});

test('damaged images are refused with their path', async () => {
  const failure = async (directory: unknown, options?: object) =>
    await describeCheckpoint(directory as string, options).catch((error: unknown) => error);
  expect(await failure(1)).toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'directory',
  });
  expect(await failure('x', { secrets: 1 })).toMatchObject({ option: 'secrets' });
  expect(await failure('/nowhere')).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE', path: '/nowhere' });
  const empty = await temporaryDirectory();
  expect(await failure(empty)).toMatchObject({
    message: `describeCheckpoint: ${empty} has no inventory.img, without which it is no checkpoint`,
  });
  const directory = await writtenCheckpoint();
  await truncate(join(directory, 'core-8.img'), 8);
  expect(await failure(directory)).toMatchObject({ path: join(directory, 'core-8.img') });
  await writeImages(directory, { 'core-8.img': ['CORE', core('child')] });
  await rm(join(directory, 'pstree.img'));
  expect(await failure(directory)).toMatchObject({
    message: `describeCheckpoint: ${join(directory, 'pstree.img')} is missing`,
  });
  await truncate(join(directory, 'files.img'), 65 * 1024 * 1024);
  expect(await failure(directory)).toMatchObject({
    ...{ code: 'ERR_CRIU_BAD_IMAGE', path: join(directory, 'files.img') },
    message: expect.stringContaining('which are too many'),
  });
});

test('damaged images are described or refused, whatever their bytes are', async () => {
  const directory = await writtenCheckpoint();
  const names = (await readdir(directory)).filter((name) => name.endsWith('.img'));
  const random = seeded(testSeed(15));
  const runs = sample('damaged checkpoints', 3000, 60);
  const outcomes = new Set<string>();
  for (let run = 0; run < runs; run++) {
    const path = join(directory, names[random(names.length)] as string);
    const whole = await readFile(path);
    const damaged = Buffer.from(whole);
    for (let count = 1 + random(4); count > 0; count--) {
      damaged[random(damaged.length)] = random(256);
    }
    await writeFile(path, damaged);
    const outcome = await describeCheckpoint(directory).then(
      (description) => JSON.stringify(description) && 'described',
      (error: unknown) => (error instanceof CriuError ? error.code : error),
    );
    expect(['described', 'ERR_CRIU_BAD_IMAGE']).toContain(outcome);
    outcomes.add(String(outcome));
    await writeFile(path, whole);
  }
  expect(outcomes.size).toBe(2);
});
