import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import zlib from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../src/images/manifest.ts';
import { compress, requireZstd } from '../../src/stream/compression.ts';
import { decodeStream } from '../../src/stream/decode-stream.ts';
import { seal } from '../../src/stream/encryption.ts';
import { fileHeader, parseHeader, parsePax } from '../../src/stream/tar.ts';
import { failureOf } from '../helpers/failures.ts';
import { noteFault } from '../helpers/reliability.ts';
import { archiveOf, inPieces, receive, wholeOf } from '../helpers/streams.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const files = {
  'pages-1.img': Buffer.from(Array.from(Array(3000), (_, index) => (index * 7) % 251)),
  'core-7.img': Buffer.from('core'),
  'empty.img': Buffer.alloc(0),
  'inventory.img': Buffer.from('inventory'),
};
const key = Buffer.alloc(32, 9);
let tar: Buffer;

beforeAll(async () => {
  tar = await wholeOf(archiveOf(files));
});

async function refusedStream(fault: string, error: string): Promise<void> {
  await noteFault('streams', { fault, error, workload: 'nothing restored', left: 'nothing' });
}

describe('an archive', () => {
  test('is one that tar extracts, and that is read again from what tar makes of it', async () => {
    const directory = await temporaryDirectory();
    execFileSync('tar', ['-xf', '-', '-C', directory], { input: tar });
    for (const [name, content] of Object.entries(files)) {
      expect(await readFile(join(directory, name))).toEqual(content);
    }
    expect(await readdir(directory)).toContain('node-criu.json');
    for (const format of ['gnu', 'pax', 'ustar']) {
      const again = execFileSync('tar', ['-cf', '-', `--format=${format}`, '-C', directory, '.']);
      expect(await receive(again)).toEqual(files);
    }
  });

  test('is read from chunks of any size', async () => {
    for (const chunk of [1, 511, 512, 513, tar.length]) {
      expect(await receive(tar, { chunk })).toEqual(files);
    }
  });

  test('has a pax header for a file of more than 8 GiB, as tar understands it', async () => {
    const size = 9 * 2 ** 30;
    const [pax, records, header] = [0, 1, 2].map((block) =>
      fileHeader('pages-1.img', size, 0).subarray(512 * block, 512 * (block + 1)),
    ) as [Buffer, Buffer, Buffer];
    expect(parseHeader(pax)).toMatchObject({ type: 'pax', size: 19 });
    expect(parsePax(records.subarray(0, 19))).toEqual(new Map([['size', String(size)]]));
    expect(parseHeader(header)).toMatchObject({ type: 'file', name: 'pages-1.img' });
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'large.tar'), fileHeader('pages-1.img', size, 0));
    const listed = await new Promise<string>((resolve) => {
      const options = { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
      try {
        resolve(execFileSync('tar', ['-tvf', 'large.tar'], options as { encoding: 'utf8' }));
      } catch (error) {
        resolve((error as { stdout: string }).stdout);
      }
    });
    expect(listed).toContain(String(size));
  });
});

describe('a damaged stream', () => {
  test('is refused wherever a byte is changed', { timeout: 120_000 }, async () => {
    for (let at = 0; at < tar.length; at++) {
      const damaged = Buffer.from(tar);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      const error = await failureOf(receive(damaged, { chunk: tar.length }));
      expect(error.code, `byte ${at}`).toBe('ERR_CRIU_BAD_IMAGE');
    }
  });

  test('is refused wherever it is cut off', async () => {
    for (let length = 0; length < tar.length; length += 100) {
      const error = await failureOf(receive(tar.subarray(0, length), { chunk: tar.length }));
      expect(error.code, `${length} bytes`).toBe('ERR_CRIU_BAD_IMAGE');
    }
  });

  test('is refused with the place and the reason', async () => {
    expect(await failureOf(receive(tar.subarray(0, 2000)))).toMatchObject({
      message: 'restoreStream: the stream cannot be restored: it ends early',
      offset: 2000,
    });
    await expect(receive(Buffer.concat([tar, Buffer.from('more')]))).rejects.toThrow(
      'there is something behind its end',
    );
    await expect(receive(Buffer.from('not a tar at all'.repeat(100)))).rejects.toThrow('header');
  });

  test('is refused with names that lead elsewhere, links, and files twice', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'sub'));
    await writeFile(join(directory, 'sub', 'inventory.img'), '');
    const archive = (...args: string[]) =>
      execFileSync('tar', ['-cf', '-', '-C', directory, ...args]);
    for (const odd of [
      archive('sub/inventory.img'),
      archive('-P', join(directory, 'sub/inventory.img')),
      archive('sub'),
      execFileSync('sh', [
        '-c',
        `cd ${directory} && ln -s /etc/passwd pstree.img && tar c pstree.img`,
      ]),
    ]) {
      await expect(receive(odd)).rejects.toThrow('it has an entry that is no image');
    }
    const twice = Buffer.concat([tar.subarray(0, 512 + 3072), tar]);
    await expect(receive(twice)).rejects.toThrow('pages-1.img is in it twice');
  });

  test('is refused if it cannot be restored by itself, or has not what its manifest says', async () => {
    const refused = async (manifest: Partial<CheckpointManifest>, why: string) => {
      const bytes = await wholeOf(archiveOf(files, manifest));
      await expect(receive(bytes)).rejects.toThrow(why);
    };
    await refused({ kind: 'pre-dump' }, 'it is a pre-dump, or needs parent images');
    await refused({ parent: '../0' }, 'it is a pre-dump, or needs parent images');
    await refused({ formatVersion: 2 }, 'node-criu.json is of format 2');
    await refused({ host: undefined as never }, 'node-criu.json is damaged: it has no host');
    const { 'inventory.img': _, ...others } = files;
    const bytes = await wholeOf(archiveOf(others));
    await expect(receive(bytes)).rejects.toThrow('it has no inventory.img');
  });

  test('is refused if it takes more memory than allowed', async () => {
    await expect(receive(tar, { maxBytes: 3000 })).rejects.toThrow(
      'takes more than 3000 bytes of memory (maxBytes)',
    );
    // The header alone is enough to refuse it.
    const huge = fileHeader('pages-1.img', 2 ** 33 - 1, 0);
    await expect(receive(huge, { maxBytes: 2 ** 30 })).rejects.toThrow('maxBytes');
  });
});

describe('a compressed stream', () => {
  test('is recognised, and refused if it is damaged', async () => {
    const packed = await wholeOf(compress(archiveOf(files), 'gzip'));
    expect(execFileSync('gzip', ['-dc'], { input: packed }).equals(tar)).toBe(false);
    expect(await receive(packed)).toEqual(files);
    for (const at of [2, 12, 100, packed.length - 6, packed.length - 2]) {
      const damaged = Buffer.from(packed);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      expect((await failureOf(receive(damaged))).code, `byte ${at}`).toBe('ERR_CRIU_BAD_IMAGE');
    }
    const cut = packed.subarray(0, packed.length - 4);
    expect((await failureOf(receive(cut))).code).toBe('ERR_CRIU_BAD_IMAGE');
  });
});

test('zstd is refused by name where Node.js has none', async () => {
  if ('createZstdCompress' in zlib) {
    const packed = await wholeOf(compress(archiveOf(files), 'zstd'));
    expect(packed.subarray(0, 4).toString('hex')).toBe('28b52ffd');
    expect(await receive(packed)).toEqual(files);
  } else {
    expect(() => requireZstd('dumpStream', 'compression')).toThrow(
      "dumpStream: compression: 'zstd' needs Node.js 22.15 or newer, or 23.8",
    );
    const packed = Buffer.from('28b52ffd00', 'hex');
    await expect(receive(packed)).rejects.toThrow('a stream compressed with zstd needs Node.js');
  }
});

describe('an encrypted stream', () => {
  test('is read with its key only', async () => {
    const sealed = await wholeOf(seal(archiveOf(files), { key }));
    expect(sealed.includes('inventory')).toBe(false);
    expect(await receive(sealed, { encryption: { key } })).toEqual(files);
    const other = { encryption: { key: Buffer.alloc(32, 8) } };
    expect((await failureOf(receive(sealed, other))).code).toBe('ERR_CRIU_BAD_IMAGE');
    await expect(receive(sealed)).rejects.toThrow('the stream is encrypted: give the option');
    await expect(receive(tar, { encryption: { key } })).rejects.toThrow('is not encrypted');
    const passphrase = { encryption: { passphrase: 'a long passphrase' } };
    await expect(receive(sealed, passphrase)).rejects.toThrow('not encrypted with a passphrase');
    await refusedStream(
      'an encrypted stream, and another key or none',
      'ERR_CRIU_BAD_IMAGE, or ERR_CRIU_INVALID_ARGUMENT without a key',
    );
  });

  test('is read with its passphrase only', async () => {
    const passphrase = 'correct horse battery staple';
    const sealed = await wholeOf(seal(archiveOf(files), { passphrase }));
    expect(await receive(sealed, { encryption: { passphrase } })).toEqual(files);
    const other = { encryption: { passphrase: 'another passphrase' } };
    expect((await failureOf(receive(sealed, other))).code).toBe('ERR_CRIU_BAD_IMAGE');
  });

  test('is refused wherever a byte is changed or missing, and if chunks change places', async () => {
    const chunk = (1 << 18) + 16;
    const large = { 'pages-1.img': Buffer.alloc(3 << 18, 5), 'inventory.img': Buffer.from('i') };
    const sealed = await wholeOf(seal(archiveOf(large), { key }));
    const refused = async (bytes: Buffer, what: string) => {
      const error = await failureOf(receive(bytes, { encryption: { key }, chunk: 1 << 20 }));
      expect(['ERR_CRIU_BAD_IMAGE', 'ERR_CRIU_INVALID_ARGUMENT'], what).toContain(error.code);
    };
    const header = 49;
    const places = [
      ...Array(header).keys(),
      header,
      header + chunk - 1,
      header + chunk,
      sealed.length - 1,
    ];
    for (const at of places) {
      const damaged = Buffer.from(sealed);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await refused(damaged, `byte ${at}`);
    }
    for (const length of [0, 10, header, header + chunk, header + 2 * chunk, sealed.length - 1]) {
      await refused(sealed.subarray(0, length), `${length} bytes`);
    }
    const piece = (index: number) =>
      sealed.subarray(header + index * chunk, header + (index + 1) * chunk);
    const start = sealed.subarray(0, header);
    await refused(Buffer.concat([start, piece(1), piece(0), piece(2), piece(3)]), 'exchanged');
    await refused(Buffer.concat([start, piece(0), piece(2), piece(3)]), 'left out');
    await refused(Buffer.concat([sealed, piece(0)]), 'repeated');
    await refusedStream(
      'an encrypted stream with a byte changed, or a chunk missing, exchanged or repeated',
      'ERR_CRIU_BAD_IMAGE',
    );
  });

  test('is different each time', async () => {
    const [one, other] = [
      await wholeOf(seal(archiveOf(files), { key })),
      await wholeOf(seal(archiveOf(files), { key })),
    ];
    expect(one.subarray(0, 16)).toEqual(other.subarray(0, 16));
    expect(one.subarray(49)).not.toEqual(other.subarray(49));
  });
});

describe('decodeStream()', () => {
  const encryption = { key };

  test('gives the archive, whatever the stream is compressed and encrypted with', async () => {
    const streams: [AsyncIterable<Buffer>, object][] = [
      [inPieces(tar, 1000), {}],
      [compress(inPieces(tar, 1000), 'gzip'), {}],
      [seal(inPieces(tar, 1000), encryption), { encryption }],
      [seal(compress(inPieces(tar, 1000), 'gzip'), encryption), { encryption }],
    ];
    for (const [stream, options] of streams) {
      expect(await wholeOf(decodeStream(stream, options))).toEqual(tar);
    }
  });

  test('fails with what is wrong with the stream', async () => {
    const sealed = await wholeOf(seal(inPieces(tar, 1000), encryption));
    const zipped = await wholeOf(compress(inPieces(tar, 1000), 'gzip'));
    const damaged = Buffer.from(zipped);
    damaged[100] = (damaged[100] as number) ^ 1;
    const failing = async function* () {
      yield tar.subarray(0, 1000);
      throw new Error('the connection is gone');
    };
    const [image, argument] = ['ERR_CRIU_BAD_IMAGE', 'ERR_CRIU_INVALID_ARGUMENT'];
    const cases: [AsyncIterable<Buffer>, object, string][] = [
      [inPieces(sealed, 1000), { encryption: { key: Buffer.alloc(32, 8) } }, image],
      [inPieces(sealed.subarray(0, -1), 1000), { encryption }, image],
      [inPieces(sealed, 1000), {}, argument],
      [inPieces(tar, 1000), { encryption }, argument],
      [inPieces(zipped.subarray(0, -20), 1000), {}, image],
      [inPieces(damaged, 1000), {}, image],
      [failing(), {}, image],
    ];
    for (const [stream, options, code] of cases) {
      const error = await failureOf(wholeOf(decodeStream(stream, options)));
      expect(error).toMatchObject({ code, operation: 'decodeStream' });
    }
    for (const [source, options, option] of [
      ['/a/file', {}, 'source'],
      [inPieces(tar, 1000), { encryption: {} }, 'encryption'],
      [inPieces(tar, 1000), { maxBytes: 1 }, 'maxBytes'],
    ] as const) {
      const given = source as AsyncIterable<Buffer>;
      expect(() => decodeStream(given, options as object)).toThrow(
        expect.objectContaining({ code: argument, option, operation: 'decodeStream' }),
      );
    }
  });

  test('is closed with its source', async () => {
    const source = new PassThrough();
    source.write(tar.subarray(0, 4096));
    const archive = decodeStream(source);
    await once(archive, 'readable');
    archive.destroy();
    await once(archive, 'close');
    expect(source.destroyed).toBe(true);
  });
});
