import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  describeCheckpoint,
  memorySizes,
  readMemory,
  searchMemory,
  writeCore,
} from '../../../src/images.ts';
import { spawnCheckpointable } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { client, killAfterTest, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

const SIZE = 64 * 4096;

test('System V shared memory is read, searched, measured and written to a core file', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'addresses');
  const fixture = await compileFixture('segment');
  const { pid } = await spawnCheckpointable(fixture, [file], { ipcNamespace: true });
  killAfterTest(pid);
  await waitFor(
    async () => ((await stat(file).catch(() => undefined))?.size ?? 0) > 0,
    'it is attached',
  );
  const addresses = (await readFile(file, 'utf8')).trim().split(' ').map(BigInt);
  const imagesDirectory = join(directory, 'images');
  await client().dump(pid, { imagesDirectory, leaveStopped: true });
  await using live = await open(`/proc/${pid}/mem`);

  const [process] = (await describeCheckpoint(imagesDirectory)).processes;
  const attached = process?.mappings.filter(({ kind }) => kind === 'sysv') ?? [];
  const numbers = new Set(attached.map(({ shared }) => shared));
  expect(attached.map(({ start }) => BigInt(start)).sort()).toEqual([...addresses].sort());
  expect(numbers.size).toBe(1);
  for (const { size, bytesStored, path, offset } of attached) {
    expect({ size, path, offset }).toEqual({ size: SIZE, path: undefined, offset: 0 });
    expect(bytesStored).toBeGreaterThanOrEqual(3 * 4096);
  }

  for (const address of addresses) {
    const expected = Buffer.alloc(SIZE);
    await live.read(expected, 0, SIZE, Number(address));
    const bytes = Buffer.alloc(SIZE);
    const range = { start: address, end: address + BigInt(SIZE) };
    for await (const piece of readMemory(imagesDirectory, { pid, ...range })) {
      piece.bytes.copy(bytes, Number(piece.address - address));
    }
    expect(bytes.equals(expected)).toBe(true);
  }

  const found = [];
  for await (const match of searchMemory(imagesDirectory, { pattern: /shared by System V/ })) {
    found.push([match.address, match.mapping?.kind]);
  }
  const text = 3n * 4096n;
  expect(found.filter(([, kind]) => kind === 'sysv')).toEqual(
    [...addresses].sort().map((address) => [address + text, 'sysv']),
  );
  const [sizes] = await memorySizes(imagesDirectory);
  for (const address of addresses) {
    expect(sizes?.mappings).toContainEqual(
      expect.objectContaining({
        start: address,
        kind: 'sysv',
        bytesStored: attached[0]?.bytesStored,
      }),
    );
  }

  const core = join(directory, 'core');
  const written = await writeCore(imagesDirectory, { pid, path: core });
  expect(written.missing).toEqual([]);
  const content = await readFile(core);
  const copies = content.toString('latin1').split('shared by System V').length - 1;
  expect(copies).toBe(found.length);
});
