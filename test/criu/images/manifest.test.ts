import { once } from 'node:events';
import { copyFile, open, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readManifest } from '../../../src/images.ts';
import { verifyImages } from '../../../src/index.ts';
import { dumpedCounter, dumpedFamily, startTalker } from '../../helpers/checkpoints.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { client, startCounter, temporaryDirectory } from '../../helpers/workload.ts';

const MANIFEST = 'node-criu.json';

test('a dump describes itself, its processes and its files', async () => {
  const { pid, pids, imagesDirectory } = await dumpedFamily(client());
  const manifest = await readManifest(imagesDirectory);
  expect(manifest).toMatchObject({
    ...{ kind: 'dump', pid, criu: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    restore: { options: {}, external: [], namespaces: [] },
    stats: { pagesWritten: expect.any(Number) },
  });
  const { processes = [], files = {}, createdAt = '' } = manifest ?? {};
  expect(processes.map((each) => each.pid).sort()).toEqual(pids.sort());
  for (const { pid: own, parent, name, command, startedAt } of processes) {
    expect(parent === undefined).toBe(own === pid);
    expect(name).toBe('family');
    expect(command?.[0]).toMatch(/family$/);
    expect(Date.parse(startedAt as string)).toBeLessThanOrEqual(Date.parse(createdAt));
  }
  const names = await readdir(imagesDirectory);
  const images = names.filter((name) => /\.img$|^stats-dump$/.test(name));
  expect(Object.keys(files).sort()).toEqual(images.sort());
  expect((await stat(join(imagesDirectory, MANIFEST))).mode & 0o777).toBe(0o600);
});

test('a restore takes the options of the dump from it, unless they are given', async () => {
  const criu = client();
  const { counter, options } = await startTalker();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { ...options, imagesDirectory });
  const findings = await criu.preflightRestore({ imagesDirectory });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);

  const without = await failureOf(criu.restore({ imagesDirectory, tcpEstablished: false }));
  expect(without.message).toContain('tcpEstablished');
  const ignored = await failureOf(criu.restore({ imagesDirectory, manifest: false }));
  expect(ignored.message).toContain('tcpEstablished');
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
});

test('a damaged one is refused before criu is started, and can be ignored', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  await writeFile(join(imagesDirectory, MANIFEST), '{');
  const error = await failureOf(criu.restore({ imagesDirectory }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE', operation: 'restore' });
  expect(error.message).toContain('set manifest: false');
  expect(await verifyImages(imagesDirectory, { deep: true })).toMatchObject([{ code: 'BAD_FILE' }]);
  await criu.restore({ imagesDirectory, manifest: false });
  await counter.countsOn();
});

test('a deep verification finds a changed byte in each file, which others do not', async () => {
  const { imagesDirectory } = await dumpedCounter(client());
  const deep = () => verifyImages(imagesDirectory, { deep: true });
  expect(await deep()).toEqual([]);
  const files = Object.keys((await readManifest(imagesDirectory))?.files ?? {});
  expect(files).toContain('pages-1.img');
  for (const name of files) {
    const path = join(imagesDirectory, name);
    await using file = await open(path, 'r+');
    const bytes = await file.readFile();
    const at = Math.trunc(bytes.length / 2);
    const changed = Buffer.from([(bytes[at] as number) ^ 0x10]);
    await file.write(changed, 0, 1, at);
    if (name === 'pages-1.img') expect(await verifyImages(imagesDirectory)).toEqual([]);
    expect(await deep(), name).toContainEqual({
      ...{ code: 'CHANGED', path, message: expect.stringContaining(path) },
    });
    await file.write(bytes, at, 1, at);
  }
  expect(await deep()).toEqual([]);
});

test('a directory without one cannot be verified deeply', async () => {
  const criu = client();
  const { pid } = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory, manifest: false, leaveRunning: true });
  expect(await readdir(imagesDirectory)).not.toContain(MANIFEST);
  expect(await verifyImages(imagesDirectory)).toEqual([]);
  expect(await verifyImages(imagesDirectory, { deep: true })).toMatchObject([
    { code: 'NO_CHECKSUMS', path: join(imagesDirectory, MANIFEST) },
  ]);
});

test('one that replaces a checkpoint replaces its manifest too', async () => {
  const criu = client();
  const { pid } = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const dump = () =>
    criu.dump(pid, { imagesDirectory, leaveRunning: true, overwrite: true, durable: false });
  await dump();
  const first = await readManifest(imagesDirectory);
  await dump();
  const second = await readManifest(imagesDirectory);
  expect(second?.checksum.key).not.toBe(first?.checksum.key);
  expect(await verifyImages(imagesDirectory, { deep: true })).toEqual([]);
});

describe('a round', () => {
  test('has a manifest, and a deep verification follows the chain', async () => {
    const memory = await startMemoryWorkload({ heapMiB: 2, hotMiB: 1, pagesPerSecond: 1000 });
    const imagesDirectory = await temporaryDirectory();
    await using iteration = await client().iterate(memory.pid, {
      ...{ imagesDirectory, tracking: 'compare' },
    });
    const { directory: first } = await iteration.preDump();
    await memory.writesOn();
    const { directory, stats } = await iteration.dump();
    expect(await readManifest(first)).toMatchObject({ kind: 'pre-dump', pid: memory.pid });
    const manifest = await readManifest(directory);
    expect(manifest).toMatchObject({ kind: 'dump', parent: '../0', options: {} });
    expect(manifest?.stats).toEqual(JSON.parse(JSON.stringify(stats)));
    expect(await readlink(join(directory, 'parent'))).toBe('../0');
    expect(await verifyImages(directory, { deep: true })).toEqual([]);
    const path = join(first, 'pages-1.img');
    const bytes = await readFile(path);
    bytes[5000] = (bytes[5000] as number) ^ 1;
    await writeFile(path, bytes);
    expect(await verifyImages(directory, { deep: true })).toMatchObject([
      { code: 'CHANGED', path: expect.stringContaining('pages-1.img') },
    ]);
  });
});

test('a lazy dump has one as soon as its memory can be fetched', async () => {
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const options = { imagesDirectory, fileLocks: true, insecure: true };
  const source = await client().lazyDump(counter.pid, options);
  expect(await readManifest(imagesDirectory)).toMatchObject({
    ...{ kind: 'dump', pid: counter.pid, restore: { options: { fileLocks: true } } },
  });
  expect(await verifyImages(imagesDirectory, { deep: true })).toEqual([]);
  await source.resume();
  await counter.countsOn();
});

test('one that describes other images is ignored, with a warning', async () => {
  const criu = client();
  const counter = await startCounter();
  const [other, imagesDirectory] = [await temporaryDirectory(), await temporaryDirectory()];
  await criu.dump(counter.pid, { imagesDirectory: other, leaveRunning: true });
  await criu.dump(counter.pid, { imagesDirectory });
  await copyFile(join(other, MANIFEST), join(imagesDirectory, MANIFEST));
  const warned = once(process, 'warning');
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
  const [warning] = await warned;
  expect(warning.message).toContain('describes other images');
});
