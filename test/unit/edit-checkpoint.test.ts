import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  decodeImage,
  type EditCheckpointOptions,
  editCheckpoint,
  encodeImage,
  type FileEntry,
  type InetSkEntry,
  readMemory,
} from '../../src/images.ts';
import { PAGE, PRESENT, vma, writeLevel, writeMm } from '../helpers/memory-images.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const opts = {
  so_sndbuf: 0,
  so_rcvbuf: 0,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
};

function socket(id: number, others: Partial<InetSkEntry>): FileEntry {
  const ends = { src_port: 8080, dst_port: 0, src_addr: [0], dst_addr: [0] };
  const kind = { family: 2, type: 1, proto: 6, state: 10, flags: 0, backlog: 9 };
  return { type: 'INETSK', id, isk: { id, ino: id, ...kind, ...ends, fown, opts, ...others } };
}

function file(id: number, name: string): FileEntry {
  return { type: 'REG', id, reg: { id, flags: 0, pos: 0n, fown, name } };
}

function unix(id: number, name: string, name_dir?: string): FileEntry {
  const rest = { type: 1, state: 10, flags: 0, uflags: 0, backlog: 0, peer: 0, fown, opts };
  return { type: 'UNIXSK', id, usk: { id, ino: id, ...rest, name: Buffer.from(name), name_dir } };
}

const files = [
  socket(1, {}),
  socket(2, { family: 10, src_addr: [0, 0, 0, 0] }),
  // A connection that such a socket has accepted, and sockets for datagrams.
  socket(3, { state: 1, dst_port: 5000 }),
  socket(4, { type: 2, proto: 17, state: 7, src_port: 53, src_addr: [0x0100007f] }),
  socket(5, { type: 2, proto: 17, state: 1, src_port: 53, dst_port: 7 }),
  ...[file(6, '/srv/app'), file(7, '/srv/app/log'), file(8, '/srv/app2'), file(9, '/')],
  ...[
    unix(10, '/srv/app/socket\0'),
    unix(11, '\0/srv/app/abstract'),
    unix(12, 'here\0', '/srv/app'),
  ],
  {
    ...{ type: 'INOTIFY' as const, id: 13 },
    ify: {
      ...{ id: 13, flags: 0, fown },
      wd: [
        {
          ...{ id: 13, i_ino: 1n, mask: 1, ignored_mask: 0, s_dev: 1, wd: 1 },
          f_handle: { bytes: 0, type: 0, path: '/srv/app/watched' },
        },
      ],
    },
  },
];
const variables = ['PATH=/bin', 'MODE=production', 'EMPTY=', 'LAST=123'];
const environment = Buffer.from(`${variables.join('\0')}\0`);

/** A process whose environment crosses a page, and its files. */
async function writeImages() {
  const base = await temporaryDirectory();
  const directory = join(base, 'images');
  const pages = Buffer.alloc(2 * PAGE);
  environment.copy(pages, PAGE - 20);
  await writeLevel(directory, [[16, 2, PRESENT]], pages);
  const start = BigInt(17 * PAGE - 20);
  await writeMm(directory, [vma(16, 2, 1 << 9)], {
    ...{ mm_env_start: start, mm_env_end: start + BigInt(environment.length) },
  });
  await encodeImage(
    join(directory, 'files.img'),
    'FILES',
    files.map((message) => ({ message })),
  );
  await encodeImage(join(directory, 'inventory.img'), 'INVENTORY', [
    { message: { img_version: 2 } },
  ]);
  return { base, directory };
}

async function filesIn(directory: string): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for await (const { message } of decodeImage(join(directory, 'files.img'), { kind: 'FILES' })) {
    entries.push(message);
  }
  return entries;
}

async function environmentIn(directory: string): Promise<string> {
  const range = { start: BigInt(16 * PAGE), end: BigInt(18 * PAGE) };
  let all = Buffer.alloc(0);
  for await (const { bytes } of readMemory(directory, { pid: 7, ...range })) {
    all = Buffer.concat([all, bytes]);
  }
  return all.toString('latin1', PAGE - 20, PAGE - 20 + environment.length);
}

test('sockets that listen are changed, by port or by address', async () => {
  const { base, directory } = await writeImages();
  const target = join(base, 'edited');
  const edited = await editCheckpoint(directory, target, {
    listen: [
      { from: '[::]:8080', to: '[2001:db8::1]:9' },
      { from: 8080, to: 8443 },
      { from: '127.0.0.1:53', to: '192.0.2.1:5353' },
    ],
  });
  expect(edited.listen).toEqual([
    { from: '0.0.0.0:8080', to: '0.0.0.0:8443' },
    { from: '[::]:8080', to: '[2001:db8::1]:9' },
    { from: '127.0.0.1:53', to: '192.0.2.1:5353' },
  ]);
  const [four, six, connection, datagrams, ...others] = await filesIn(target);
  expect(four?.isk).toMatchObject({ src_addr: [0], src_port: 8443 });
  expect(six?.isk).toMatchObject({ src_addr: [0xb80d0120, 0, 0, 0x01000000], src_port: 9 });
  expect(datagrams?.isk).toMatchObject({ src_addr: [0x010200c0], src_port: 5353 });
  const before = await filesIn(directory);
  expect([connection, ...others]).toEqual([before[2], ...before.slice(4)]);
});

test('paths are changed, also those below them, of files, sockets and watches', async () => {
  const { base, directory } = await writeImages();
  const target = join(base, 'edited');
  const edited = await editCheckpoint(directory, target, {
    paths: { '/srv/app/': '/opt/new', '/srv/app/log': '/var/log/app' },
  });
  expect(edited.paths).toEqual([
    { from: '/srv/app', to: '/opt/new' },
    { from: '/srv/app/log', to: '/var/log/app' },
    { from: '/srv/app/socket', to: '/opt/new/socket' },
    { from: '/srv/app/watched', to: '/opt/new/watched' },
  ]);
  const all = (await filesIn(target)).slice(5);
  expect(all.slice(0, 4).map(({ reg }) => reg?.name)).toEqual([
    ...['/opt/new', '/var/log/app', '/srv/app2', '/'],
  ]);
  expect(all.slice(4, 7).map(({ usk }) => Buffer.from(usk?.name ?? []).toString())).toEqual([
    ...['/opt/new/socket\0', '\0/srv/app/abstract', 'here\0'],
  ]);
  expect(all[6]?.usk?.name_dir).toBe('/opt/new');
  expect(all[7]?.ify?.wd?.[0]?.f_handle.path).toBe('/opt/new/watched');
  await editCheckpoint(directory, target, { paths: { '/': '/root' }, overwrite: true });
  expect((await filesIn(target)).slice(5, 9).map(({ reg }) => reg?.name)).toEqual([
    ...['/root/srv/app', '/root/srv/app/log', '/root/srv/app2', '/root'],
  ]);
});

test('variables get values that are not longer', async () => {
  const { base, directory } = await writeImages();
  const [first, second] = [join(base, 'first'), join(base, 'second')];
  await editCheckpoint(directory, first, { environment: { MODE: 'test', LAST: '' } });
  expect(await environmentIn(first)).toBe(
    `PATH=/bin\0MODE=test${'\0'.repeat(7)}EMPTY=\0LAST=\0\0\0\0`,
  );
  // The space of the first value is still there.
  const edited = await editCheckpoint(first, second, {
    environment: { MODE: 'produced', LAST: '321' },
  });
  expect(await environmentIn(second)).toBe('PATH=/bin\0MODE=produced\0\0\0EMPTY=\0LAST=321\0');
  expect(edited.environment).toEqual([
    { pid: 7, name: 'MODE' },
    { pid: 7, name: 'LAST' },
  ]);
  expect(await environmentIn(directory)).toBe(environment.toString());
});

test('a change that is not possible is refused by name, and leaves nothing behind', async () => {
  const { base, directory } = await writeImages();
  for (const [options, option, why] of [
    [{}, 'listen', /nothing is to be changed/],
    [{ listen: [{ from: 81, to: 82 }] }, 'listen', /no socket listens on port 81$/],
    [{ listen: [{ from: '10.0.0.1:8080', to: 82 }] }, 'listen', /listens on 10\.0\.0\.1:8080$/],
    [{ listen: [{ from: 53, to: '[::1]:53' }] }, 'listen', /127\.0\.0\.1:53 cannot listen on ::1/],
    [{ listen: [{ from: 'web', to: 1 }] }, 'listen', /not 'web'/],
    [{ listen: [{ from: 8080, to: 0 }] }, 'listen', /not 0/],
    [{ paths: { '/srv/ap': '/x' } }, 'paths', /has the path \/srv\/ap,/],
    [{ paths: { srv: '/x' } }, 'paths', /absolute paths/],
    [{ environment: { NAME: 'x' } }, 'environment.NAME', /environment\.NAME: no process has/],
    [{ environment: { EMPTY: 'x' } }, 'environment.EMPTY', /at most 0 bytes, .* process 7/],
    [{ environment: { LAST: '1234' } }, 'environment.LAST', /at most 3 bytes/],
  ] as [EditCheckpointOptions, string, RegExp][]) {
    await expect(editCheckpoint(directory, join(base, 'a', 'b'), options)).rejects.toMatchObject({
      ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'editCheckpoint', option },
      message: expect.stringMatching(why),
    });
  }
  expect(await readdir(base)).toEqual(['images']);
});
