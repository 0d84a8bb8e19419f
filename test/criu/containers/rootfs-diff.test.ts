import { execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { applyRootfsDiff, createRootfsDiff } from '../../../src/containers.ts';
import type { CriuError } from '../../../src/index.ts';
import { native } from '../../../src/native/index.ts';
import { fileWith, type GivenEntry, tarWith } from '../../helpers/archives.ts';
import { failureOf } from '../../helpers/failures.ts';
import { type Random, seeded } from '../../helpers/random.ts';
import { sample, testSeed } from '../../helpers/sample.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

/** A capability with bytes that are no text in UTF-8: cap_setuid+ep. Source: linux/capability.h. */
const CAPABILITY = Buffer.from('0100000280000000000000000000000000000000', 'hex');

const bytesOf = (path: string) => Buffer.from(path);
const attributesOf = (path: string) => new Map(native().attributes(bytesOf(path)));

describe('applyRootfsDiff', () => {
  let outside: string;
  let rootfs: string;
  beforeEach(async () => {
    outside = await temporaryDirectory();
    rootfs = join(await temporaryDirectory(), 'rootfs');
    await mkdir(join(rootfs, 'etc'), { recursive: true });
    await writeFile(join(outside, 'precious'), 'mine');
  });

  /** Applies entries; afterwards nothing outside the root may have changed. */
  async function apply(entries: readonly GivenEntry[], deleted: readonly string[] = []) {
    const before = await lstat(outside);
    try {
      await applyRootfsDiff(rootfs, await fileWith(await tarWith(...entries)), deleted);
    } finally {
      expect(await readdir(outside)).toEqual(['precious']);
      expect(await readFile(join(outside, 'precious'), 'utf8')).toBe('mine');
      expect(await lstat(outside)).toMatchObject({ mode: before.mode, uid: before.uid });
      expect(await readdir(join(rootfs, '..'))).toEqual(['rootfs']);
    }
  }

  test('makes files of all kinds, with owners, modes, times and attributes', async () => {
    const attributes = new Map([
      ['security.capability', CAPABILITY],
      ['trusted.overlay.redirect', Buffer.from('/etc')],
    ]);
    const modifiedMs = Date.UTC(2020, 1, 2);
    await writeFile(join(rootfs, 'etc/old'), 'old');
    await apply([
      { path: './', type: 'directory', mode: 0o555, modifiedMs },
      { path: 'etc/', type: 'directory', mode: 0o2750, uid: 7, gid: 8, modifiedMs },
      { path: 'etc/old', text: 'new', mode: 0o640 },
      { path: 'etc/hard', type: 'link', target: 'etc/old' },
      { path: 'bin/su', text: 'su', mode: 0o4755, uid: 0, attributes, modifiedMs },
      { path: 'bin/sh', type: 'symlink', target: '/bin/su', uid: 5 },
      { path: 'run/pipe', type: 'fifo', mode: 0o622 },
      { path: 'na\xefve', text: 'latin1' },
    ]);
    expect(await readFile(join(rootfs, 'etc/old'), 'utf8')).toBe('new');
    expect(await lstat(join(rootfs, 'etc'))).toMatchObject({
      ...{ mode: 0o42750, uid: 7, gid: 8, mtimeMs: modifiedMs },
    });
    expect(await lstat(rootfs)).toMatchObject({ mode: 0o40555, mtimeMs: modifiedMs });
    const { ino, nlink } = await lstat(join(rootfs, 'etc/hard'));
    expect([ino, nlink]).toEqual([(await lstat(join(rootfs, 'etc/old'))).ino, 2]);
    expect(await lstat(join(rootfs, 'bin/su'))).toMatchObject({
      mode: 0o104755,
      mtimeMs: modifiedMs,
    });
    expect([...attributesOf(join(rootfs, 'bin/su'))]).toEqual([
      ['security.capability', CAPABILITY],
    ]);
    expect(await readlink(join(rootfs, 'bin/sh'))).toBe('/bin/su');
    expect((await lstat(join(rootfs, 'bin/sh'))).uid).toBe(5);
    const pipe = await lstat(join(rootfs, 'run/pipe'));
    expect([pipe.isFIFO(), pipe.mode & 0o777]).toEqual([true, 0o622]);
    expect(await readdir(rootfs, { encoding: 'latin1' })).toContain('na\xefve');
  });

  test('follows links as if the root was /', async () => {
    await symlink(outside, join(rootfs, 'absolute'));
    await symlink('../../../../../../../../../../../../../../etc', join(rootfs, 'upwards'));
    await symlink('/', join(rootfs, 'top'));
    await apply([
      { path: 'absolute/precious', text: 'theirs' },
      { path: 'upwards/passwd', text: 'x' },
      { path: 'top/top/top/file', text: 'y' },
    ]);
    expect(await readFile(join(rootfs, outside, 'precious'), 'utf8')).toBe('theirs');
    expect(await readFile(join(rootfs, 'etc/passwd'), 'utf8')).toBe('x');
    expect(await readFile(join(rootfs, 'file'), 'utf8')).toBe('y');
  });

  test('replaces a link instead of writing through it', async () => {
    const target = join(outside, 'precious');
    await symlink(target, join(rootfs, 'file'));
    await symlink(outside, join(rootfs, 'directory'));
    await apply([
      { path: 'file', text: 'theirs', mode: 0o777, uid: 9 },
      { path: 'directory', type: 'directory', mode: 0o777, uid: 9 },
      { path: 'trap', type: 'symlink', target },
      { path: 'trap', text: 'theirs' },
      { path: 'late', type: 'directory', mode: 0o777, uid: 9 },
      { path: 'late', type: 'symlink', target: outside },
    ]);
    expect(await readFile(join(rootfs, 'file'), 'utf8')).toBe('theirs');
    expect(await readFile(join(rootfs, 'trap'), 'utf8')).toBe('theirs');
  });

  test('makes hard links only to what is inside', async () => {
    await symlink(outside, join(rootfs, 'out'));
    for (const target of [join(outside, 'precious'), '../../etc/passwd', 'out/precious', 'etc']) {
      const error = await failureOf(apply([{ path: 'x', type: 'link', target }]));
      expect(error.code).toBe('ERR_CRIU_BAD_IMAGE');
    }
  });

  test('removes what was removed, and nothing outside', async () => {
    await symlink(outside, join(rootfs, 'link'));
    await mkdir(join(rootfs, 'full/of'), { recursive: true });
    await symlink(outside, join(rootfs, 'full/of/links'));
    await symlink(join('/', 'etc'), join(rootfs, 'inner'));
    await writeFile(join(rootfs, 'etc/motd'), '');
    await apply([], ['/link/precious', '/full', '/inner/motd', '/never/there', '/link']);
    expect((await readdir(rootfs)).sort()).toEqual(['etc', 'inner']);
    expect(await readdir(join(rootfs, 'etc'))).toEqual([]);
    for (const path of ['/', '/..', '/etc/../..', '']) {
      expect((await failureOf(apply([], [path]))).code).toBe('ERR_CRIU_BAD_IMAGE');
    }
  });

  test('removes what whiteouts of overlayfs and of OCI layers name', async () => {
    for (const name of ['one', 'two', 'opaque/a', 'opaque/b']) {
      await mkdir(join(rootfs, name), { recursive: true });
    }
    await apply([
      { path: 'one', type: 'character' },
      { path: '.wh.two', text: '' },
      { path: 'opaque/.wh..wh..opq' },
      { path: 'opaque/c', text: '' },
    ]);
    expect((await readdir(rootfs)).sort()).toEqual(['etc', 'opaque']);
    expect(await readdir(join(rootfs, 'opaque'))).toEqual(['c']);
    for (const path of ['.wh.', '.wh..', '.wh...', 'etc/.wh...']) {
      expect((await failureOf(apply([{ path }]))).code).toBe('ERR_CRIU_BAD_IMAGE');
    }
  });

  test('makes devices only on request', async () => {
    const entry: GivenEntry = { path: 'null', type: 'character', major: 1, minor: 3, mode: 0o666 };
    const refused = await failureOf(apply([entry]));
    expect(refused).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
    expect(refused.message).toContain('devices is not set');
    await applyRootfsDiff(rootfs, await fileWith(await tarWith(entry)), [], { devices: true });
    const { rdev, mode } = await lstat(join(rootfs, 'null'));
    expect([rdev, mode]).toEqual([0x103, 0o020666]);
  });

  test.each<[string, GivenEntry]>([
    ['a path upwards', { path: 'etc/../../x', text: '' }],
    ['an absolute path', { path: '/etc/x', text: '' }],
    ['a path through a file', { path: 'etc/file/x', text: '' }],
    ['an owner that does not exist', { path: 'x', uid: 0xffff_ffff }],
    ['a loop of links', { path: 'loop/x' }],
  ])('refuses %s', async (_, entry) => {
    await writeFile(join(rootfs, 'etc/file'), '');
    await symlink('loop', join(rootfs, 'loop'));
    expect((await failureOf(apply([entry]))).code).toBe('ERR_CRIU_BAD_IMAGE');
  });

  test('never leaves the root, whatever is changed in the archive', async () => {
    const archive = await tarWith(
      { path: 'etc/', type: 'directory', mode: 0o755 },
      { path: 'etc/a', text: 'a', attributes: new Map([['user.a', Buffer.from('b')]]) },
      { path: 'out', type: 'symlink', target: outside },
      { path: 'out/precious', text: 'theirs' },
      { path: 'hard', type: 'link', target: 'etc/a' },
      { path: `${'long-'.repeat(30)}/name`, text: 'x', uid: 10_000_000 },
      { path: '.wh.gone' },
    );
    const random = seeded(testSeed(17));
    for (let round = 0; round < sample('changed archives', 3000, 60); round++) {
      const changed = mutated(archive, random);
      await applyRootfsDiff(rootfs, pieces(changed), ['/out/precious', '/etc/a']).catch(
        (error: CriuError) => expect(error.code, `round ${round}`).toBe('ERR_CRIU_BAD_IMAGE'),
      );
      expect(await readdir(outside)).toEqual(['precious']);
      expect(await readFile(join(outside, 'precious'), 'utf8')).toBe('mine');
      expect(await readdir(join(rootfs, '..'))).toEqual(['rootfs']);
      await rm(rootfs, { recursive: true });
      await mkdir(join(rootfs, 'etc'), { recursive: true });
    }
  });
});

/** A tar archive with some bytes changed, mostly with the checksums of their headers made right again. */
function mutated(archive: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(archive);
  for (let changes = random(4); changes >= 0; changes--) {
    const at = random(bytes.length);
    bytes[at] = [random(256), 0x2f, 0x2e, 0, 0x37, 0x80][random(6)] ?? 0;
    const header = bytes.subarray(at - (at % 512), at - (at % 512) + 512);
    if (random(5) === 0 || header.toString('latin1', 257, 262) !== 'ustar') continue;
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return random(10) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

describe('createRootfsDiff', () => {
  /** An overlayfs with these files in its lower layer, and a plain copy of that layer. */
  async function overlay(prepare: (lower: string) => Promise<void>) {
    const directory = await temporaryDirectory();
    const at = (name: string) => join(directory, name);
    for (const name of ['lower', 'rw', 'merged']) await mkdir(at(name));
    execFileSync('mount', ['-t', 'tmpfs', 'none', at('rw')]);
    onTestFinished(async () => void execFileSync('umount', [at('rw')]));
    for (const name of ['rw/upper', 'rw/work']) await mkdir(at(name));
    await prepare(at('lower'));
    execFileSync('cp', ['-a', at('lower'), at('copy')]);
    const layers = `lowerdir=${at('lower')},upperdir=${at('rw/upper')},workdir=${at('rw/work')}`;
    execFileSync('mount', [
      '-t',
      'overlay',
      'overlay',
      '-o',
      `${layers},metacopy=on`,
      at('merged'),
    ]);
    onTestFinished(async () => void execFileSync('umount', [at('merged')]));
    return { merged: at('merged'), copy: at('copy'), tar: at('rootfs-diff.tar') };
  }

  /** What a directory has, with the facts that a diff is to carry over. */
  const listing = (directory: string) =>
    execFileSync('find', ['.', '-printf', '%P %y %m %U %G %s %l\n'], { cwd: directory })
      .toString()
      .split('\n')
      // The size of a directory depends on the file system.
      .map((line) => line.replace(/( d \S+ \S+ \S+) \d+/, '$1'))
      .sort();

  test('finds all that a container has changed, so that it can be applied elsewhere', async () => {
    const { merged, copy, tar } = await overlay(async (lower) => {
      for (const name of ['gone', 'emptied', 'replaced', 'moved/deep', 'kept', 'named']) {
        await mkdir(join(lower, name), { recursive: true });
        await writeFile(join(lower, name, 'a'), name);
        await writeFile(join(lower, name, 'b'), name);
      }
    });
    const at = (name: string) => join(merged, name);
    await rm(at('gone'), { recursive: true });
    await rm(at('emptied/a'));
    // Becomes opaque: it hides what the lower layer has.
    await rm(at('replaced'), { recursive: true });
    await mkdir(at('replaced'));
    await writeFile(at('replaced/b'), 'other');
    await chmod(at('kept'), 0o700);
    await chown(at('kept/a'), 12, 34);
    await writeFile(at('kept/b'), 'x'.repeat(3_000_000));
    await utimes(at('kept/b'), 1e9, 1e9);
    native().setAttribute(bytesOf(at('kept/b')), 'security.capability', CAPABILITY);
    await link(at('kept/b'), at('kept/hard'));
    await symlink('/etc/passwd', at('kept/link'));
    execFileSync('mkfifo', [at('kept/pipe')]);
    const long = `${'long-'.repeat(30)}\u00e9`;
    await writeFile(at(long), 'long');
    await rename(at('moved/deep/a'), at('moved/c'));
    // The upper layer has only the new name of it.
    await rename(at('named'), at('renamed'));

    const { deletedFiles, entries, bytes } = await createRootfsDiff(merged, tar);
    expect(deletedFiles).toEqual(['/emptied/a', '/gone', '/moved/deep/a', '/named', '/replaced/a']);
    expect((await lstat(tar)).size).toBe(bytes);
    const names = execFileSync('tar', ['-tf', tar, '--quoting-style=literal'])
      .toString()
      .split('\n');
    expect(names.filter(Boolean)).toHaveLength(entries);
    expect(names).toContain(long);

    expect(listing(copy)).not.toEqual(listing(merged));
    await applyRootfsDiff(copy, tar, deletedFiles);
    expect(listing(copy)).toEqual(listing(merged));
    const after = await lstat(join(copy, 'kept/b'));
    expect([after.nlink, after.mtimeMs]).toEqual([2, 1e12]);
    expect(attributesOf(join(copy, 'kept/b')).get('security.capability')).toEqual(CAPABILITY);

    // GNU tar understands it too.
    const other = await temporaryDirectory();
    execFileSync('tar', ['-xf', tar, '-C', other, '--xattrs', '--xattrs-include=*']);
    expect(attributesOf(join(other, 'kept/b')).get('security.capability')).toEqual(CAPABILITY);
  });

  test('refuses a directory that is no overlayfs', async () => {
    const directory = await temporaryDirectory();
    const error = await failureOf(createRootfsDiff(directory, join(directory, 'x.tar')));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'rootfs' });
    expect(error.message).toContain('give upper and lower');
  });
});
