import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checksumOf, inJavaScript } from '../../src/images/file-checksums.ts';
import { type CheckpointManifest, readManifest } from '../../src/images.ts';
import { localFiles, remoteFiles } from '../../src/process/files.ts';
import { failureOf } from '../helpers/failures.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const manifest: CheckpointManifest = {
  formatVersion: 1,
  kind: 'dump',
  createdAt: '2026-11-29T19:00:00.000Z',
  host: { name: 'host-a', architecture: 'x64', kernel: '6.1.0', bootId: 'b', pageSize: 4096 },
  criu: '4.2.0',
  pid: 12,
  processes: [
    { pid: 12, name: 'node', command: ['node', 'app.js'] },
    { pid: 13, parent: 12 },
  ],
  options: { tcpEstablished: true },
  restore: { options: { tcpEstablished: true }, external: [], namespaces: ['net'] },
  bytes: 10,
  checksum: { algorithm: 'AES-128-GMAC', key: '0'.repeat(32), iv: '0'.repeat(24) },
  files: { 'pstree.img': { bytes: 10, checksum: '0'.repeat(32) } },
};

async function read(content: string): Promise<CheckpointManifest | undefined> {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'node-criu.json'), content);
  return await readManifest(directory);
}

test('a manifest is read as it was written, and a directory may have none', async () => {
  expect(await read(JSON.stringify(manifest))).toEqual(manifest);
  expect(await readManifest(await temporaryDirectory())).toBeUndefined();
});

test('later versions may add properties, but not change the format', async () => {
  const more = { ...manifest, later: { more: true } };
  expect(await read(JSON.stringify(more))).toEqual(more);
  const newer = await failureOf(read(JSON.stringify({ ...manifest, formatVersion: 2 })));
  expect(newer).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE', path: expect.stringMatching(/json$/) });
  expect(newer.message).toContain('is of format 2, which a newer node-criu has written');
});

const { restore, files } = manifest;
const [file] = Object.values(files);
test.each<[string, unknown]>([
  ['is damaged: it is not an object', []],
  ['is damaged: it has no formatVersion', {}],
  ['its formatVersion', { ...manifest, formatVersion: 0 }],
  ['its stats', { ...manifest, stats: { frozenTimeMs: '1' } }],
  ['its kind', { ...manifest, kind: 'copy' }],
  ['its pid', { ...manifest, pid: -1 }],
  ['its processes', { ...manifest, processes: [{ pid: '1' }] }],
  ['its processes', { ...manifest, processes: [{ pid: 1, command: [1] }] }],
  ['its restore', { ...manifest, restore: { ...restore, options: { execCmd: ['sh'] } } }],
  ['its restore', { ...manifest, restore: { ...restore, options: { shellJob: 'yes' } } }],
  ['its restore', { ...manifest, restore: { ...restore, external: 'mnt[]' } }],
  ['its checksum', { ...manifest, checksum: { ...manifest.checksum, key: 'short' } }],
  ['its files', { ...manifest, files: { '../secret': file } }],
  ['its files', { ...manifest, files: { '..': file } }],
  ['its files', { ...manifest, files: { 'a.img': { ...file, checksum: 'Z'.repeat(32) } } }],
])('a damaged manifest is refused: %s', async (message, value) => {
  const error = await failureOf(read(JSON.stringify(value)));
  expect(error).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
  expect(error.message).toContain(message);
});

test('a file that is not JSON is refused', async () => {
  const error = await failureOf(read('{"formatVersion": 1,'));
  expect(error).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
});

test('a checksum is that of openssl mac GMAC, for files that are read at once, on a thread, and without the addon', async () => {
  const method = {
    algorithm: 'AES-128-GMAC',
    key: '00112233445566778899aabbccddeeff',
    iv: '0102030405060708090a0b0c',
  } as const;
  const path = join(await temporaryDirectory(), 'file');
  // Any content that a test can repeat.
  const content = (size: number) =>
    Buffer.concat(
      Array.from({ length: Math.ceil(size / 32) }, (_, index) =>
        createHash('sha256').update(String(index)).digest(),
      ),
    ).subarray(0, size);
  const known: [number, string][] = [
    [0, '1849e88d76ef30fe65345678705e07c4'],
    [1000, 'ca81fd76b5c0e99da22ce5d337852325'],
    [3_000_001, 'a969942fc73b96f5d7385fcd2d5d4c43'],
  ];
  for (const [bytes, checksum] of known) {
    await writeFile(path, content(bytes));
    expect(await checksumOf(path, method, localFiles)).toEqual({ bytes, checksum });
    expect(await checksumOf(path, method, remoteFiles)).toEqual({ bytes, checksum });
    expect(await inJavaScript(path, method)).toEqual({ bytes, checksum });
  }
});

test('a checksum depends on every byte', async () => {
  const method = {
    algorithm: 'AES-128-GMAC',
    key: randomBytes(16).toString('hex'),
    iv: randomBytes(12).toString('hex'),
  } as const;
  const path = join(await temporaryDirectory(), 'file');
  const content = randomBytes(1 << 20);
  const sums = new Set<string>();
  for (const at of [undefined, 0, 1, 524_287, 524_288, content.length - 1]) {
    const changed = Buffer.from(content);
    if (at !== undefined) changed[at] = (changed[at] as number) ^ 1;
    await writeFile(path, changed);
    sums.add((await checksumOf(path, method, localFiles)).checksum);
  }
  expect(sums.size).toBe(6);
});
