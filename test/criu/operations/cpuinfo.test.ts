import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

/** Fields of CRIU's cpuinfo_x86_entry: bits of features, and of what XSAVE saves. */
const CAPABILITY = 6;
const XFEATURES_MASK = 8;

test('a description of the processor is written, for its owner alone, and this host passes', async () => {
  const criu = client();
  const imagesDirectory = join(await temporaryDirectory(), 'made');
  await criu.cpuinfoDump({ imagesDirectory });
  expect(await readdir(imagesDirectory)).toEqual(['cpuinfo-dump.log', 'cpuinfo.img']);
  expect((await stat(join(imagesDirectory, 'cpuinfo.img'))).mode & 0o777).toBe(0o600);
  await criu.cpuinfoCheck({ imagesDirectory });
});

test('logs go to the work directory', async () => {
  const criu = client();
  const [imagesDirectory, workDirectory] = [await temporaryDirectory(), await temporaryDirectory()];
  await criu.cpuinfoDump({ imagesDirectory, workDirectory });
  await criu.cpuinfoCheck({ imagesDirectory, workDirectory, logFile: 'compared.log' });
  expect(await readdir(imagesDirectory)).toEqual(['cpuinfo.img']);
  expect((await readdir(workDirectory)).sort()).toEqual(['compared.log', 'cpuinfo-dump.log']);
});

test('a processor with instructions that this one lacks does not match', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.cpuinfoDump({ imagesDirectory });
  // No processor has every feature there is: AMD's and Intel's own exclude each other.
  await doctor(imagesDirectory, CAPABILITY, () => 0xffff_ffffn);
  const check = criu.cpuinfoCheck({ imagesDirectory, cpuCap: ['ins'] });
  await expect(check).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    operation: 'cpuinfoCheck',
    message: expect.stringContaining('CPU instruction capabilities do not match'),
    log: { path: join(imagesDirectory, 'cpuinfo-check.log') },
  });
});

test('cpuCap selects what is compared', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.cpuinfoDump({ imagesDirectory });
  await doctor(imagesDirectory, XFEATURES_MASK, (mask) => mask | (1n << 60n));
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/xfeatures has unsupported bits \(0x1000000000000000\)/),
  });
  await expect(criu.cpuinfoCheck({ imagesDirectory, cpuCap: ['fpu'] })).rejects.toThrow(
    'xfeatures has unsupported bits',
  );
  await criu.cpuinfoCheck({ imagesDirectory, cpuCap: ['ins'] });
});

test('a description that is missing or cut off makes an error which says so', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('No cpuinfo image'),
  });
  await criu.cpuinfoDump({ imagesDirectory });
  const image = join(imagesDirectory, 'cpuinfo.img');
  await writeFile(image, (await readFile(image)).subarray(0, 40));
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/Read \d+ bytes while \d+ expected/),
  });
});

test('a directory that is missing is refused for the check, and made for the dump', async () => {
  const criu = client();
  const imagesDirectory = join(await temporaryDirectory(), 'none');
  await expect(criu.cpuinfoCheck({ imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'imagesDirectory',
  });
  await criu.cpuinfoDump({ imagesDirectory });
  expect((await stat(imagesDirectory)).mode & 0o777).toBe(0o700);
});

/** Changes the values of a field in cpuinfo.img. */
async function doctor(
  directory: string,
  field: number,
  change: (value: bigint) => bigint,
): Promise<void> {
  const image = join(directory, 'cpuinfo.img');
  const before = await readFile(image);
  // Two magic numbers and a size; then the one field of the message, which is a message itself.
  const outer = new Reader(before.subarray(12));
  outer.varint();
  const entry = new Reader(outer.take(Number(outer.varint())));
  const fields: Buffer[] = [];
  let changed = 0;
  while (!entry.atEnd) {
    const tag = entry.varint();
    const isNumber = (tag & 7n) === 0n;
    const value = entry.varint();
    const found = isNumber && tag >> 3n === BigInt(field);
    if (found) changed++;
    fields.push(varint(tag), varint(found ? change(value) : value));
    if (!isNumber) fields.push(entry.take(Number(value)));
  }
  expect(changed).toBeGreaterThan(0);
  const message = Buffer.concat(fields);
  const whole = Buffer.concat([Buffer.of(0x0a), varint(BigInt(message.length)), message]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(whole.length);
  await writeFile(image, Buffer.concat([before.subarray(0, 8), size, whole]));
}

/** Reads what protobuf writes, of the two kinds of field that this image has. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const last = rest < 0x80n;
    bytes.push(Number(rest & 0x7fn) | (last ? 0 : 0x80));
    if (last) return Buffer.from(bytes);
  }
}
