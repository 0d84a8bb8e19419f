import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  editCheckpoint,
  encodeImage,
  memorySizes,
  mergeImages,
  searchMemory,
} from '../../src/images.ts';
import { filled, PARENT, PRESENT, vma, writeLevel, writeMm } from '../helpers/memory-images.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

test('whatever bytes are damaged, memory is refused or read', async () => {
  const base = await temporaryDirectory();
  const [whole, directory, target] = ['whole', 'images', 'new'].map((name) => join(base, name)) as [
    ...[string, string, string],
  ];
  await writeLevel(join(whole, 'parent'), [[16, 2, PRESENT]], filled('ab'));
  await writeLevel(
    whole,
    [
      [16, 2, PARENT],
      [18, 2, PRESENT],
    ],
    filled('cd'),
  );
  await writeLevel(whole, [[1, 1, PRESENT]], filled('s'), { memory: 'shmem-5', pagesId: 9 });
  const stack = { mm_env_start: 65536n, mm_env_end: 65600n };
  await writeMm(whole, [vma(16, 4, 1 << 9), vma(30, 2, 1 << 8, { flags: 1, shmid: 5n })], stack);
  await encodeImage(join(whole, 'files.img'), 'FILES', []);
  await encodeImage(join(whole, 'inventory.img'), 'INVENTORY', [{ message: { img_version: 2 } }]);
  const names = (await readdir(whole)).filter((name) => name.endsWith('.img'));

  const search = async () => {
    for await (const _ of searchMemory(directory, { pattern: /a+/, context: 9, limit: 20 }));
  };
  const edit = () => editCheckpoint(directory, target, { environment: { NAME: '' } });
  const codes = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    await cp(whole, directory, { recursive: true });
    const path = join(directory, names[seed % names.length] as string);
    const bytes = await readFile(path);
    const at = 8 + ((seed * 7919) % Math.max(1, Math.min(bytes.length, 200) - 8));
    bytes[at] = [255, 0, seed, (bytes[at] ?? 0) ^ 128][seed % 4] as number;
    await writeFile(path, seed % 10 === 0 ? bytes.subarray(0, at) : bytes);
    const write = seed % 2 === 0 ? edit : () => mergeImages(directory, target);
    for (const work of [() => memorySizes(directory), search, write]) {
      await Promise.resolve(work()).then(
        () => codes.add('read'),
        (error) => codes.add(error.code),
      );
    }
    await rm(target, { recursive: true, force: true });
    await rm(directory, { recursive: true });
  }
  expect([...codes].sort()).toEqual(['ERR_CRIU_BAD_IMAGE', 'ERR_CRIU_INVALID_ARGUMENT', 'read']);
});
