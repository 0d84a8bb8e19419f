import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  formatCheckpointArchive,
  inspectCheckpointArchive,
  readCheckpointArchive,
  writeCheckpointArchive,
} from '../../src/containers.ts';
import { fileWith, type GivenEntry, members, tarWith } from '../helpers/archives.ts';
import { failureOf } from '../helpers/failures.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

let tar: Buffer;
beforeAll(async () => {
  tar = await tarWith(...members);
});

async function unpack(bytes: Buffer) {
  const target = join(await temporaryDirectory(), 'unpacked');
  return { target, unpacking: readCheckpointArchive(await fileWith(bytes), target) };
}

/** Unpacks an archive that must be refused, of which nothing may be left. */
async function refusal(...entries: readonly GivenEntry[]): Promise<string> {
  const { target, unpacking } = await unpack(await tarWith(...entries));
  const { code, message } = await failureOf(unpacking);
  expect(code).toBe('ERR_CRIU_BAD_IMAGE');
  expect(await readdir(join(target, '..'))).toEqual([]);
  return message;
}

describe('readCheckpointArchive', () => {
  test('unpacks the known members, for their owner only', async () => {
    const more = [...members, { path: './extra', text: 'x' }, { path: 'sub/dir/file' }];
    const { target, unpacking } = await unpack(await tarWith(...more));
    const archive = await unpacking;
    expect(archive).toMatchObject({
      ...{ directory: target, imagesDirectory: join(target, 'checkpoint'), rootfsDiff: undefined },
      ...{ kind: 'podman', compression: 'none', runtime: 'runc', checkpointedAt: undefined },
      container: { id: 'a1b2', name: 'web' },
      image: { name: 'localhost/web:latest', id: 'c3d4' },
      createdAt: '2026-01-02T03:04:05Z',
      ...{ imagesBytes: 14, pagesBytes: 5, deletedFiles: [], ignored: ['extra', 'sub/dir/file'] },
    });
    expect((await readdir(target)).sort()).toEqual([
      ...['checkpoint', 'config.dump', 'network.status', 'spec.dump'],
    ]);
    expect(await readFile(join(target, 'checkpoint/pages-1.img'), 'utf8')).toBe('pages');
    const mode = async (path: string) => ((await lstat(path)).mode & 0o7777).toString(8);
    expect(await mode(target)).toBe('700');
    expect(await mode(join(target, 'checkpoint'))).toBe('700');
    expect(await mode(join(target, 'config.dump'))).toBe('600');
  });

  test('ignores the modes and owners in the archive', async () => {
    const odd = members.map((one) => ({ ...one, mode: 0o6777, uid: 1000, gid: 1000 }));
    const { target, unpacking } = await unpack(await tarWith(...odd));
    await unpacking;
    const { mode, uid } = await lstat(join(target, 'config.dump'));
    expect([(mode & 0o7777).toString(8), uid]).toEqual(['600', process.getuid?.()]);
  });

  test('reads what tar, gzip and zstd make', async () => {
    const { target, unpacking } = await unpack(tar);
    await unpacking;
    for (const format of ['gnu', 'pax', 'ustar', 'posix']) {
      const again = execFileSync('tar', ['-cf', '-', `--format=${format}`, '-C', target, '.']);
      await (await unpack(again)).unpacking;
      expect((await (await unpack(gzipSync(again))).unpacking).compression).toBe('gzip');
      const zstd = execFileSync('zstd', ['-q', '-c'], { input: again });
      expect((await (await unpack(zstd)).unpacking).compression).toBe('zstd');
    }
  });

  test('takes a stream in pieces of any size', async () => {
    for (const size of [1, 511, 4096]) {
      const pieces = async function* () {
        for (let at = 0; at < tar.length; at += size) yield tar.subarray(at, at + size);
      };
      const target = join(await temporaryDirectory(), 'unpacked');
      expect((await readCheckpointArchive(pieces(), target)).bytes).toBeGreaterThan(300);
    }
  });

  test.each<[string, GivenEntry, string]>([
    ['a path upwards', { path: '../etc/passwd' }, 'leads upwards'],
    ['a path upwards inside', { path: 'checkpoint/../../x' }, 'leads upwards'],
    ['an absolute path', { path: '/etc/passwd' }, 'absolute'],
    ['a symbolic link', { path: 'ctr.log', type: 'symlink', target: '/etc/passwd' }, 'symlink'],
    ['a hard link', { path: 'ctr.log', type: 'link', target: '/etc/passwd' }, 'is a link'],
    ['a link for a directory', { path: 'volumes', type: 'symlink', target: '/etc' }, 'symlink'],
    ['another parent', { path: 'checkpoint/parent', type: 'symlink', target: '/' }, 'symlink'],
    ['a device', { path: 'ctr.log', type: 'block', major: 8 }, 'is a block'],
    ['a FIFO', { path: 'checkpoint/fifo.img', type: 'fifo' }, 'is a fifo'],
    ['a directory for a file', { path: 'ctr.log', type: 'directory' }, 'is a directory'],
    ['a file for a directory', { path: 'artifacts' }, 'is a file'],
    ['a member that comes twice', { path: './config.dump', text: '{}' }, 'twice'],
    ['an image that comes twice', { path: 'checkpoint//inventory.img' }, 'twice'],
  ])('refuses %s', async (_, entry, why) => {
    expect(await refusal(...members, entry)).toContain(why);
    // Also before what would be in its place.
    expect(await refusal(entry, ...members)).toContain(why);
  });

  test('refuses what is not JSON, and what is no checkpoint', async () => {
    const images = members.slice(3);
    expect(await refusal({ path: 'config.dump', text: '[' }, ...images)).toContain('not JSON');
    expect(await refusal({ path: 'spec.dump', text: '[]' }, ...images)).toContain('JSON object');
    const paths = { path: 'deleted.files', text: '[1]' };
    expect(await refusal(paths, ...members)).toContain('list of paths');
    expect(await refusal(...members.slice(0, 3))).toContain('no checkpoint/inventory.img');
    expect(await refusal({ path: 'README' })).toContain('no checkpoint/inventory.img');
  });

  test('refuses an archive that is damaged or cut off anywhere', async () => {
    const isRefused = async (bytes: Buffer) => {
      const target = join(await temporaryDirectory(), 'unpacked');
      return (await failureOf(readCheckpointArchive(await fileWith(bytes), target))).code;
    };
    for (const length of [0, 1, 511, 512, 700, tar.length - 1024]) {
      expect(await isRefused(tar.subarray(0, length))).toBe('ERR_CRIU_BAD_IMAGE');
    }
    const gzip = gzipSync(tar);
    const zstd = execFileSync('zstd', ['-q', '-c'], { input: tar });
    for (const packed of [gzip, zstd]) {
      expect(await isRefused(packed.subarray(0, packed.length - 9))).toBe('ERR_CRIU_BAD_IMAGE');
      const damaged = Buffer.from(packed);
      damaged.fill(0xff, packed.length >> 1);
      expect(await isRefused(damaged)).toBe('ERR_CRIU_BAD_IMAGE');
    }
    const header = Buffer.from(tar);
    header[150] = 0x39;
    expect(await isRefused(header)).toBe('ERR_CRIU_BAD_IMAGE');
    expect(await isRefused(Buffer.concat([tar, Buffer.from('more')]))).toBe('ERR_CRIU_BAD_IMAGE');
  });

  test('stops at its limits, whatever a compressed archive says', async () => {
    const bomb = gzipSync(
      await tarWith(...members, { path: 'ctr.log', text: '0'.repeat(1 << 20) }),
    );
    const file = await fileWith(bomb);
    const target = join(await temporaryDirectory(), 'unpacked');
    const tooMany = readCheckpointArchive(file, target, { maxEntries: 3 });
    expect((await failureOf(tooMany)).message).toContain('more than 3 entries');
    const tooLarge = readCheckpointArchive(file, target, { maxBytes: 10_000 });
    expect((await failureOf(tooLarge)).message).toContain('more than 10000 bytes');
    const lies = await tarWith({ path: 'ctr.log', size: 0 });
    lies.write('77777777777\0', 124, 'latin1');
    const refused = await failureOf((await unpack(lies)).unpacking);
    expect(refused.code).toBe('ERR_CRIU_BAD_IMAGE');
  });

  test('is cancelled by a signal, and leaves nothing', async () => {
    const directory = await temporaryDirectory();
    const reason = new Error('enough');
    const options = { signal: AbortSignal.abort(reason) };
    const file = await fileWith(tar);
    const error = await failureOf(readCheckpointArchive(file, join(directory, 'x'), options));
    expect(error).toMatchObject({ code: 'ERR_CRIU_ABORTED', cause: reason });
    expect(await readdir(directory)).toEqual([]);
  });

  test('refuses a directory with files, and options that do not exist', async () => {
    const target = await temporaryDirectory();
    await writeFile(join(target, 'mine'), '');
    const file = await fileWith(tar);
    const occupied = await failureOf(readCheckpointArchive(file, target));
    expect(occupied).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'target' });
    const options = { maxByte: 1 } as object;
    const typo = await failureOf(readCheckpointArchive(file, join(target, 'new'), options));
    expect(typo.message).toContain('did you mean maxBytes');
    const missing = await failureOf(readCheckpointArchive('/nowhere.tar', join(target, 'new')));
    expect(missing.code).toBe('ERR_CRIU_SYSTEM');
  });
});

describe('writeCheckpointArchive', () => {
  test.each([
    ['web.tar', 'none'],
    ['web.tar.gz', 'gzip'],
    ['web.tar.zst', 'zstd'],
  ])(
    'writes %s of images and metadata, and again of what was unpacked',
    async (name, compression) => {
      const directory = await temporaryDirectory();
      const images = join(directory, 'images');
      await mkdir(images);
      await writeFile(join(images, 'inventory.img'), 'inventory');
      await writeFile(join(images, 'dump.log'), '(00.000000) Version: 4.2 (gitid 0)\n');
      await symlink('/etc/passwd', join(images, 'not-an-image'));
      const config = { id: 'a1b2', name: 'web', runtime: 'runc' };
      const spec = { ociVersion: '1.0.2', process: { args: ['sleep', '5'] } };
      const file = join(directory, name);
      const networkStatus = {
        podman: {
          interfaces: { eth0: { mac_address: 'aa:bb', subnets: [{ ipnet: '10.0.0.2/16' }] } },
        },
      };
      const deletedFiles = ['/etc/motd'];
      const given = { imagesDirectory: images, config, spec, networkStatus, deletedFiles };
      const { bytes } = await writeCheckpointArchive(file, given);
      expect((await lstat(file)).size).toBe(bytes);
      expect((await lstat(file)).mode & 0o777).toBe(0o600);

      const archive = await inspectCheckpointArchive(file);
      expect(archive).toMatchObject({
        kind: 'podman',
        compression,
        criuVersion: '4.2',
        deletedFiles,
      });
      expect(archive.networks).toEqual([
        { network: 'podman', interface: 'eth0', addresses: ['10.0.0.2/16'], mac: 'aa:bb' },
      ]);
      const unpacked = await readCheckpointArchive(file, join(directory, 'unpacked'));
      expect(unpacked.members).toEqual(archive.members);
      const again = join(directory, `again-${name}`);
      await writeCheckpointArchive(again, { directory: unpacked.directory });
      const { members: listed, ...others } = await inspectCheckpointArchive(again);
      expect(others).toEqual({ ...archive, members: undefined });
      expect(new Set(listed)).toEqual(new Set(archive.members));
      expect(await inspectCheckpointArchive(unpacked.directory)).toMatchObject({
        ...{ kind: 'podman', compression: undefined, bytes: archive.bytes },
      });
    },
  );

  test('refuses a directory without images, and images that need a parent', async () => {
    const directory = await temporaryDirectory();
    const options = { imagesDirectory: directory, spec: {}, config: { id: 'a', name: 'b' } };
    const file = join(directory, 'web.tar');
    const empty = await failureOf(writeCheckpointArchive(file, options));
    expect(empty).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
    await writeFile(join(directory, 'inventory.img'), '');
    await symlink('..', join(directory, 'parent'));
    const parent = await failureOf(writeCheckpointArchive(file, options));
    expect(parent.message).toContain('mergeImages');
    expect(await readdir(directory)).not.toContain('web.tar');
    const config = { id: '', name: 'b' };
    const invalid = await failureOf(writeCheckpointArchive(file, { ...options, config }));
    expect(invalid).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'config.id' });
  });
});

describe('inspectCheckpointArchive', () => {
  test('tells what CRI-O and containerd write', async () => {
    const with_ = (annotations: object) =>
      tarWith(
        { path: 'spec.dump', text: JSON.stringify({ annotations }) },
        ...members.filter(({ path }) => path !== 'spec.dump'),
      );
    const crio = await with_({
      'io.container.manager': 'cri-o',
      'io.kubernetes.container.name': 'counter',
      'io.kubernetes.pod.name': 'counters',
      'io.kubernetes.pod.namespace': 'default',
      'io.kubernetes.cri-o.IP.0': '10.88.0.3',
    });
    expect(await inspectCheckpointArchive(await fileWith(crio))).toMatchObject({
      kind: 'cri-o',
      container: { name: 'counter', pod: 'counters', namespace: 'default' },
      networks: [{ addresses: ['10.88.0.3'] }],
    });
    const containerd = await with_({
      'io.kubernetes.cri.container-name': 'counter',
      'io.kubernetes.cri.sandbox-name': 'counters',
      'io.kubernetes.cri.sandbox-namespace': 'default',
    });
    expect(await inspectCheckpointArchive(await fileWith(containerd))).toMatchObject({
      kind: 'containerd',
      container: { name: 'counter', pod: 'counters', namespace: 'default' },
    });
  });

  test('as text, which cannot control a terminal', async () => {
    const hostile = {
      ...members[0],
      path: 'config.dump',
      text: '{"name":"a\\u001b[2Jb","id":"c"}',
    };
    const archive = await inspectCheckpointArchive(
      await fileWith(await tarWith(hostile, ...members.slice(1))),
    );
    expect(formatCheckpointArchive(archive)).toBe(`\
Container:     a [2Jb
ID:            c
Engine:        Podman
Command:       sleep 1000
Images:        14 bytes, 5 bytes of it memory
Compression:   none
`);
  });
});
