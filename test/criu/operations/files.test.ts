import { type Stats, statSync } from 'node:fs';
import { chmod, link, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { compileFixture } from '../../helpers/compile.ts';
import { nameOf, startOn } from '../../helpers/descriptors.ts';
import {
  client,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

test.each(['flock', 'fcntl'] as const)(
  'a lock of %s is held again after the restore',
  async (lock) => {
    const criu = client();
    const { pid, file, imagesDirectory } = await startHolding(lock);
    expect(await canLock(file, lock)).toBe(false);
    await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
      code: 'ERR_CRIU_FAILED',
      message: expect.stringContaining('fileLocks'),
      workload: 'running',
    });
    await criu.dump(pid, { imagesDirectory, fileLocks: true });
    await waitGone(pid);
    expect(await canLock(file, lock)).toBe(true);
    await criu.restore({ imagesDirectory, fileLocks: true });
    expect(await canLock(file, lock)).toBe(false);
  },
);

test('a lock is lost if the restore turns fileLocks off', async () => {
  const criu = client();
  const { pid, file, imagesDirectory, countsOn } = await startHolding('flock');
  await criu.dump(pid, { imagesDirectory, fileLocks: true });
  await criu.restore({ imagesDirectory, fileLocks: false });
  await countsOn();
  expect(await canLock(file, 'flock')).toBe(true);
});

test('linkRemap brings a file back that has another name, and leaves no name of its own', async () => {
  const criu = client();
  const { pid, file, directory, imagesDirectory, countsOn } = await startHolding();
  const other = join(directory, 'other');
  await link(file, other);
  await rm(file);
  await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('linkRemap'),
    workload: 'running',
  });
  await criu.dump(pid, { imagesDirectory, linkRemap: true });
  const { ino } = await stat(other);
  expect(await readdir(directory)).toEqual([expect.stringMatching(/^link_remap\./), 'other']);

  await criu.restore({ imagesDirectory, linkRemap: true });
  await countsOn();
  expect(statOf(pid, 3).ino).toBe(ino);
  expect(await readdir(directory)).toEqual(['other']);
  expect(await readFile(other, 'utf8')).toMatch(/^1\n2\n3\n/);
});

test('a deleted file is carried in the images, with its content', async () => {
  const criu = client();
  const { pid, directory, imagesDirectory, countsOn } = await startHolding('unlink');
  await criu.dump(pid, { imagesDirectory });
  expect(await readdir(imagesDirectory)).toContain('ghost-file-1.img');
  await criu.restore({ imagesDirectory });
  await countsOn();
  expect(await readdir(directory)).toEqual([]);
  const numbers = (await readFile(`/proc/${pid}/fd/3`, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map(Number);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('ghostLimit is how large a deleted file may be', async () => {
  const criu = client();
  const { pid, imagesDirectory, countsOn } = await startHolding('unlink');
  await writeFile(`/proc/${pid}/fd/3`, Buffer.alloc(2 << 20));
  const tooLarge = {
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('ghostLimit'),
    workload: 'running',
  };
  await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject(tooLarge);
  await expect(criu.dump(pid, { imagesDirectory, ghostLimit: 1 << 21 })).rejects.toMatchObject(
    tooLarge,
  );
  await criu.dump(pid, { imagesDirectory, ghostLimit: 1 << 22 });
  await criu.restore({ imagesDirectory });
  await countsOn();
  expect(statOf(pid, 3).size).toBeGreaterThan(2 << 20);
});

test('skipFileRwxCheck accepts a file whose permissions have changed', async () => {
  const criu = client();
  const { pid, file, imagesDirectory, countsOn } = await startHolding();
  await criu.dump(pid, { imagesDirectory });
  await chmod(file, 0o644);
  await expect(criu.restore({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('skipFileRwxCheck'),
    workload: 'gone',
  });
  await waitGone(pid);
  await criu.restore({ imagesDirectory, skipFileRwxCheck: true });
  await countsOn();
});

test('evasiveDevices accepts another node of the same device at the path', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const node = join(directory, 'null');
  await execa('mknod', [node, 'c', '1', '3']);
  await using before = await open(node, 'w');
  const stdio = [undefined, undefined, undefined, before.fd];
  const { pid } = await startOn(stdio, await compileFixture('announce'), ['1']);
  await mountTmpfs(directory);
  await execa('mknod', [node, 'c', '1', '3']);

  const imagesDirectory = await temporaryDirectory();
  await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('Unaccessible path'),
    workload: 'running',
  });
  await criu.dump(pid, { imagesDirectory, evasiveDevices: true });
  await criu.restore({ imagesDirectory, evasiveDevices: true });
  expect(nameOf(3, pid)).toBe(node);
  expect(statOf(pid, 3).dev).toBe((await stat(node)).dev);
});

test.each(['external', 'queryExtFiles'] as const)(
  'a file on a mount that is gone, named by %s, is replaced by an open one',
  async (by) => {
    const criu = client();
    const directory = await temporaryDirectory();
    const place = join(directory, 'mount');
    await mkdir(place);
    const unmount = await mountTmpfs(place);
    const file = await open(join(place, 'file'), 'a+');
    onTestFinished(() => file.close());
    const stdio = [undefined, undefined, undefined, file.fd];
    const { pid } = await startOn(stdio, await compileFixture('announce'), ['1']);
    await unmount();
    const mount = /^mnt_id:\t(\d+)$/m.exec(await readFile(`/proc/${pid}/fdinfo/3`, 'utf8'))?.[1];
    const { ino } = await file.stat();
    const id = `file[${Number(mount).toString(16)}:${ino.toString(16)}]`;
    const imagesDirectory = join(directory, 'images');
    await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
      code: 'ERR_CRIU_FAILED',
      message: expect.stringContaining('lookup mount'),
      workload: 'running',
    });
    await criu.dump(pid, {
      imagesDirectory,
      ...(by === 'external' ? { external: [id] } : { hooks: { queryExtFiles: () => [id] } }),
    });

    // CRIU wants the size and the permissions that the file had.
    const content = await readFile(`/proc/self/fd/${file.fd}`, 'utf8');
    const other = join(directory, 'other');
    await writeFile(other, content);
    await using fresh = await open(other, 'a');
    await criu.restore({ imagesDirectory, inheritFd: { [id]: fresh } });
    await waitFor(async () => (await stat(other)).size > content.length, 'the program writes on');
    expect(await readFile(`/proc/self/fd/${file.fd}`, 'utf8')).toBe(content);
  },
);

/** Starts a program that has a file open, as its descriptor 3, and writes to it. */
async function startHolding(...how: ('flock' | 'fcntl' | 'unlink')[]) {
  const [directory, imagesDirectory] = [await temporaryDirectory(), await temporaryDirectory()];
  const file = join(directory, 'file');
  const said = join(imagesDirectory, 'said');
  const program = await compileFixture('hold');
  const { pid } = await startProgram(program, [file, ...how], { stdout: said });
  await waitFor(async () => (await readFile(said, 'utf8')) === 'ready\n', 'the program is ready');
  const countsOn = async () => {
    const { size } = statOf(pid, 3);
    await waitFor(() => statOf(pid, 3).size > size, 'the program writes on');
  };
  await countsOn();
  return { pid, file, directory, imagesDirectory, countsOn };
}

/** Whether another process could lock a file. */
async function canLock(file: string, lock: 'flock' | 'fcntl'): Promise<boolean> {
  const hold = await compileFixture('hold');
  const { exitCode } = await execa(hold, [file, lock, 'try'], { reject: false });
  expect([0, 1]).toContain(exitCode);
  return exitCode === 0;
}

/** What a descriptor of a process leads to. */
function statOf(pid: number, fd: number): Stats {
  return statSync(`/proc/${pid}/fd/${fd}`);
}

/** Mounts a tmpfs, until the test is over or the function that is returned is called. */
async function mountTmpfs(directory: string): Promise<() => Promise<void>> {
  await execa('mount', ['-t', 'tmpfs', 'node-criu', directory]);
  let mounted = true;
  const unmount = async () => {
    if (mounted) await execa('umount', ['-l', directory]);
    mounted = false;
  };
  onTestFinished(unmount);
  return unmount;
}
