import { open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  decodeImage,
  encodeImage,
  type ImageEntry,
  type ImageKind,
  imageFromJson,
  imageKind,
  imageToJson,
} from '../../src/images.ts';
import { bytesOfImage, entriesOf, imageKinds, sampleImages } from '../helpers/images.ts';
import { sample, testSeed } from '../helpers/sample.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

vi.setConfig({ testTimeout: 120_000 });
const seed = testSeed(20_261_129);

const header = (...words: number[]) => {
  const bytes = Buffer.alloc(4 * words.length);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, 4 * index);
  return bytes;
};
const COMMON = 0x54564319;
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

async function decoded(source: string | Uint8Array): Promise<ImageEntry[]> {
  const entries: ImageEntry[] = [];
  for await (const entry of decodeImage(source)) entries.push(entry);
  return entries;
}

async function text(source: string | Uint8Array, pretty = false): Promise<string> {
  let json = '';
  for await (const piece of imageToJson(source, { pretty })) json += piece;
  return json;
}

async function failure(source: string | Uint8Array): Promise<unknown> {
  return await decoded(source).then(
    () => undefined,
    (error: unknown) => error,
  );
}

test.each(imageKinds)(
  '%s: what is decoded is encoded as it was, also by way of JSON',
  async (kind) => {
    const property = fc.asyncProperty(entriesOf(kind), async (entries) => {
      const bytes = await bytesOfImage(kind, entries);
      expect(await imageKind(bytes)).toBe(kind);
      const read = await decoded(bytes);
      expect(read).toHaveLength(entries.length);
      expect(await bytesOfImage(kind, read)).toEqual(bytes);
      for (const pretty of [false, true]) {
        const image = imageFromJson(await text(bytes, pretty));
        expect(image.kind).toBe(kind);
        expect(await bytesOfImage(kind, image.entries)).toEqual(bytes);
      }
    });
    await fc.assert(property, { seed, numRuns: sample(`images of kind ${kind}`, 300, 4) });
  },
);

describe('decodeImage', () => {
  test('keeps what it does not know, and text that is not UTF-8', async () => {
    // An enum with the number 99, an unknown field of each wire type, and a name with a byte ff.
    const file = hex(
      '08 63  10 01  1a 16 08 01 10 00 18 00 2a 0a 0800100018002000 2800 32 02 61 ff',
    );
    const unknown = hex('98 3f 07  a1 3f 0102030405060708  aa 3f 01 61  ad 3f 01020304');
    const entry = Buffer.concat([file, unknown]);
    const bytes = Buffer.concat([header(COMMON, 0x56303138, entry.length), entry]);
    const [read] = await decoded(bytes);
    expect(read).toMatchObject({ message: { type: 99, reg: { name: 'a\udcff' } } });
    expect(await bytesOfImage('FILES', [read as ImageEntry<'FILES'>])).toEqual(bytes);
  });

  test('gives numbers of 64 bits as bigint', async () => {
    const entry = hex('08 ffffffffffffffffff01  10 01');
    const bytes = Buffer.concat([header(COMMON, 0x57113925, entry.length), entry]);
    expect(await decoded(bytes)).toEqual([
      { kind: 'RLIMIT', message: { cur: 2n ** 64n - 1n, max: 1n }, payload: undefined },
    ]);
    expect(await text(bytes)).toBe(
      '{"magic": "RLIMIT", "entries": [{"cur": 18446744073709551615, "max": 1}]}',
    );
  });

  test('leaves a large payload in the file until it is read', async () => {
    const path = join(await temporaryDirectory(), 'pipes-data.img');
    const data = Buffer.alloc(300_000, 'payload');
    const message = { pipe_id: 5, bytes: data.length };
    await encodeImage(path, 'PIPES_DATA', [
      { message, payload: data },
      { message: { ...message, bytes: 3 }, payload: Buffer.from('end') },
    ]);
    const [first, second] = await decoded(path);
    if (first?.kind !== 'PIPES_DATA' || second?.kind !== 'PIPES_DATA') throw new Error('not read');
    expect(first.payload.length).toBe(data.length);
    // Comparing element by element takes seconds.
    expect((await first.payload.bytes()).equals(data)).toBe(true);
    expect(await second.payload.bytes()).toEqual(Buffer.from('end'));
    const image = imageFromJson(await text(path, true));
    const encoded = await bytesOfImage(image.kind, image.entries);
    expect(encoded.equals(await readFile(path))).toBe(true);

    await truncate(path, 200_000);
    await expect(first.payload.bytes()).rejects.toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE', path });
  });

  test('keeps the bytes with which CRIU aligns the next entry', async () => {
    const entry = hex('0a 0e 08 01 10 00 18 00 20 00 28 00 30 00 38 00  10 01');
    const bytes = Buffer.concat([
      header(COMMON, 0x59573019, entry.length),
      entry,
      hex('0700 010203040506'),
    ]);
    const [read] = await decoded(bytes);
    expect(read).toMatchObject({ kind: 'IPCNS_SEM', payload: [7] });
    expect(await bytesOfImage('IPCNS_SEM', [read as ImageEntry<'IPCNS_SEM'>])).toEqual(bytes);
  });

  test('refuses another kind than the one that was asked for', async () => {
    const bytes = header(COMMON, 0x50273030);
    const reading = decodeImage(bytes, { kind: 'FILES' });
    await expect(reading.next()).rejects.toThrow(/has entries of kind PSTREE, not FILES/);
    expect(await decoded(bytes)).toEqual([]);
  });

  test('reads the images of an old CRIU, which have only the second word', async () => {
    const bytes = await bytesOfImage('FS', [{ message: { cwd_id: 1, root_id: 2 } }]);
    expect(await decoded(bytes.subarray(4))).toHaveLength(1);
  });
});

describe('a damaged image fails with ERR_CRIU_BAD_IMAGE, the file and the offset', () => {
  const size = (length: number) => Buffer.from([(length & 0x7f) | 0x80, length >> 7]);
  /** Control groups within control groups. */
  const deep = (depth: number) => {
    let message = hex('0a 00');
    for (let level = 0; level < depth; level++) {
      const { length } = message;
      const bytes = length < 128 ? Buffer.from([length]) : size(length);
      message = Buffer.concat([hex('0a 00 12'), bytes, message]);
    }
    return message;
  };
  const entry = (bytes: Buffer) => Buffer.concat([header(bytes.length), bytes]);
  const desc = hex('0a 0e 08 01 10 00 18 00 20 00 28 00 30 00 38 00');
  const groups = deep(105);
  const directories = Buffer.concat([hex('12'), size(groups.length), groups]);
  const controllers = Buffer.concat([hex('12'), size(directories.length), directories]);
  test.each<[string, Buffer, number, RegExp]>([
    ['nothing', Buffer.alloc(0), 0, /is truncated: of 4 bytes it has only 0/],
    ['half of a header', header(COMMON), 4, /is truncated/],
    ['another file', Buffer.from('\x7fELF and more'), 0, /has no entries of a known kind/],
    ['the header of statistics', header(0x55105940, 0x50273030), 0, /has no entries/],
    [
      'half of a length',
      Buffer.concat([header(COMMON, 0x50273030), hex('0102')]),
      8,
      /is truncated/,
    ],
    [
      'a length of 4 GiB',
      header(COMMON, 0x50273030, 0xffffffff),
      12,
      /of 4294967295 bytes it has only 0/,
    ],
    [
      'no required field',
      Buffer.concat([header(COMMON, 0x50273030), entry(hex('08 01'))]),
      12,
      /pstree_entry that cannot be decoded: missing required 'ppid'/,
    ],
    [
      'messages without end',
      Buffer.concat([header(COMMON, 0x59383330), entry(controllers)]),
      12,
      /cannot be decoded: max depth/,
    ],
    [
      '4 GiB in a pipe',
      Buffer.concat([header(COMMON, 0x56453709), entry(hex('08 01 10 ffffffff0f'))]),
      20,
      /of 4294967295 bytes it has only 0/,
    ],
    [
      '2^64 bytes of memory',
      Buffer.concat([
        header(COMMON, 0x46283044),
        entry(Buffer.concat([desc, hex('10 ffffffffffffffffff01')])),
      ]),
      39,
      /is truncated/,
    ],
    [
      '2^32 semaphores',
      Buffer.concat([
        header(COMMON, 0x59573019),
        entry(Buffer.concat([desc, hex('10 ffffffff0f')])),
      ]),
      34,
      /too many/,
    ],
    [
      '2^32 messages',
      Buffer.concat([
        header(COMMON, 0x55453737),
        entry(Buffer.concat([desc, hex('10 01 18 ffffffff0f')])),
        entry(hex('08 01 10 00')),
      ]),
      44,
      /is truncated/,
    ],
  ])('%s', async (_, bytes, offset, why) => {
    const path = join(await temporaryDirectory(), 'x.img');
    await writeFile(path, bytes);
    expect(await failure(path)).toMatchObject({
      ...{ name: 'CriuError', code: 'ERR_CRIU_BAD_IMAGE', operation: 'decodeImage', path, offset },
      message: expect.stringMatching(why),
    });
    expect(await failure(bytes)).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE', offset });
  });

  test('an entry of 1 GiB, which is not read', async () => {
    const path = join(await temporaryDirectory(), 'pstree.img');
    const file = await open(path, 'w');
    await file.write(header(COMMON, 0x50273030, 2 ** 30));
    await file.truncate(2 ** 31);
    await file.close();
    expect(await failure(path)).toMatchObject({
      message: expect.stringMatching(/too long, at byte 12$/),
    });
  });

  test('a file that is missing, or is a directory', async () => {
    const directory = await temporaryDirectory();
    expect(await failure(join(directory, 'none.img'))).toMatchObject({
      code: 'ERR_CRIU_BAD_IMAGE',
    });
    expect(await failure(directory)).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
  });

  test('any change of any image fails so, or gives entries that can be encoded', async () => {
    const images = await sampleImages(seed);
    let failed = 0;
    const changes = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 3 });
    const inputs = fc.tuple(fc.constantFrom(...images), changes, fc.option(fc.nat(2000)));
    const property = fc.asyncProperty(inputs, async ([{ bytes: whole }, places, end]) => {
      const bytes = Buffer.from(whole);
      for (const [place, byte] of places) bytes[place % bytes.length] = byte;
      const given = end === null ? bytes : bytes.subarray(0, end % bytes.length);
      const read = await decoded(given).catch((error: unknown) => error);
      if (!Array.isArray(read)) {
        failed++;
        expect(read).toMatchObject({ name: 'CriuError', code: 'ERR_CRIU_BAD_IMAGE' });
        const { offset } = read as { offset: number };
        expect(offset).toBeLessThanOrEqual(given.length);
        return;
      }
      const kind: ImageKind = await imageKind(given);
      const encoded = await bytesOfImage(kind, read as ImageEntry[]);
      expect(await bytesOfImage(kind, await decoded(encoded))).toEqual(encoded);
      await text(given, true);
    });
    const numRuns = sample('damaged images', 100_000, 800);
    await fc.assert(property, { seed, numRuns });
    expect(failed).toBeGreaterThan(numRuns / 4);
  });
});

describe('encodeImage', () => {
  const message = { pipe_id: 1, bytes: 3 };
  test.each<[string, string, object, RegExp]>([
    ['an unknown kind', 'PAGES', [], /kind takes a kind of images/],
    [
      'an entry of another kind',
      'FS',
      [{ kind: 'IDS', message: {} }],
      /entry 0 is of kind IDS, not FS/,
    ],
    [
      'a missing field',
      'FS',
      [{ message: { cwd_id: 1 } }],
      /entry 0: the field root_id of the message is missing/,
    ],
    [
      'an unknown field',
      'FS',
      [{ message: { cwd_id: 1, root_id: 1, x: 1 } }],
      /the field x of the message is unknown/,
    ],
    [
      'a number that does not fit',
      'FS',
      [{ message: { cwd_id: 2 ** 32, root_id: 1 } }],
      /cwd_id .* uint32/,
    ],
    ['no payload', 'PIPES_DATA', [{ message }], /entry 0: the payload is missing/],
    [
      'a payload of another size',
      'PIPES_DATA',
      [{ message, payload: Buffer.alloc(4) }],
      /the payload has 4 bytes, but its entry says 3/,
    ],
  ])('refuses %s, and leaves the file as it was', async (_, kind, entries, why) => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'x.img');
    await writeFile(path, 'before');
    await expect(encodeImage(path, kind as 'FS', entries as [])).rejects.toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      message: expect.stringMatching(why),
    });
    expect(await readdir(directory)).toEqual(['x.img']);
    expect(await readFile(path, 'utf8')).toBe('before');
  });

  test('replaces the file that it reads', async () => {
    const path = join(await temporaryDirectory(), 'fs-1.img');
    await encodeImage(path, 'FS', [{ message: { cwd_id: 1, root_id: 2 } }]);
    const moved = async function* () {
      for await (const { message } of decodeImage(path, { kind: 'FS' })) {
        yield { message: { ...message, cwd_id: message.cwd_id + 6 } };
      }
    };
    await encodeImage(path, 'FS', moved());
    expect(await decoded(path)).toMatchObject([{ message: { cwd_id: 7, root_id: 2 } }]);
  });
});

describe('imageFromJson refuses', () => {
  test.each([
    ['no JSON', '{', /the text is no JSON/],
    ['an unknown kind', '{"magic": "X", "entries": []}', /magic/],
    ['no entries', '{"magic": "FS"}', /entries is not an array/],
    ['an unknown field', '{"magic": "FS", "entries": [{"cwd": 1}]}', /entry 0: cwd is unknown/],
    [
      'a name that is no flag',
      '{"magic": "VMAS", "entries": [{"prot": "PROT_READ | X"}]}',
      /prot is not a number/,
    ],
    [
      'an address that is none',
      '{"magic": "INETSK", "entries": [{"src_addr": ["1.2.3"]}]}',
      /src_addr\.0 is not an IP/,
    ],
    [
      'a payload of a kind that has none',
      '{"magic": "FS", "entries": [{"extra": ""}]}',
      /extra is unknown/,
    ],
    [
      'a payload that is no text',
      '{"magic": "PIPES_DATA", "entries": [{"extra": 1}]}',
      /extra has no text/,
    ],
  ])('%s', (_, json, why) => {
    expect(() => imageFromJson(json)).toThrow(why);
  });
});
