import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { encodeImage } from '../../../src/images.ts';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';
import { filled, PRESENT, writeLevel } from '../../helpers/memory-images.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('decode shows an image, and encode writes it again', async () => {
  const directory = await temporaryDirectory();
  const [image, json, copy] = ['fs-7.img', 'fs.json', 'copy.img'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  await encodeImage(image, 'FS', [{ message: { cwd_id: 1, root_id: 2, umask: 18 } }]);

  expect(await nodeCriu(['decode', image, '--json'])).toEqual({
    ...{ exitCode: 0, stderr: '' },
    stdout: '{"magic": "FS", "entries": [{"cwd_id": 1, "root_id": 2, "umask": 18}]}',
  });
  expect(await nodeCriu(['decode', image, '-o', json])).toEqual({
    ...{ exitCode: 0, stdout: '', stderr: '' },
  });
  expect(await readFile(json, 'utf8')).toMatch(/^\{\n {4}"magic": "FS",\n.*\}\n$/s);
  expect(await nodeCriu(['encode', json, '-o', copy])).toEqual({
    ...{ exitCode: 0, stderr: '' },
    stdout: `wrote ${copy}: FS, 1 entry`,
  });
  expect(await readFile(copy)).toEqual(await readFile(image));

  await writeFile(copy, 'no image');
  expect(await nodeCriu(['decode', copy])).toMatchObject({
    ...{ exitCode: 3, stdout: '' },
    stderr: expect.stringMatching(
      /has no entries of a known kind.*, at byte 0 \(ERR_CRIU_BAD_IMAGE\)$/,
    ),
  });
});

test('memory shows, searches and reads what the images have, and escapes it', async () => {
  const directory = await temporaryDirectory();
  const page = filled('-');
  page.write('\x1b[31mred \u202e', 100);
  await writeLevel(directory, [[16, 1, PRESENT]], page);
  const run = async (...args: string[]) => await nodeCriu(['memory', directory, ...args]);

  expect((await run()).stdout).toMatch(/^PID +NAME +IN IMAGES .*\n7 +- +4\.0 KiB +-/);
  expect(await run('--search', 'red', '--context', '9')).toMatchObject({
    ...{ exitCode: 0, stderr: '' },
    stdout: String.raw`7  0000000000010069  -  ----\x1b[31mred \u{202e}-----`,
  });
  const lines = (await run('--search-regex', 'r.d', '--json')).stdout.split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'match', pid: 7, address: '0x10069', bytes: '726564', text: 'red' },
    { event: 'result', matches: 1 },
  ]);
  expect((await run('--search-hex', '00 01')).stdout).toBe('no match');
  expect((await run('--pid', '7', '--read', '10065+8')).stdout).toBe(
    '0000000000010065  5b 33 31 6d 72 65 64 20                           |[31mred |',
  );
  const raw = join(directory, 'raw');
  await run('--pid', '7', '--read', '0x10ff8-0x11008', '--raw', '--output', raw);
  expect(await readFile(raw, 'latin1')).toBe('-'.repeat(8) + '\0'.repeat(8));
  for (const args of [['--core'], ['--search', 'a', '--files'], ['--raw', '--search', 'a']]) {
    expect(await run(...args)).toMatchObject({ exitCode: 2, stdout: '' });
  }
  expect(await run('--pid', '8')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('pid takes a process with memory in the images (7), not 8'),
  });
});

test('merge and edit write new directories, and say what they did', async () => {
  const directory = await temporaryDirectory();
  const [images, merged, edited] = ['images', 'merged', 'edited'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  await writeLevel(images, [[16, 1, PRESENT]], filled('-'));
  const inventory = { message: { img_version: 2 } };
  await encodeImage(join(images, 'inventory.img'), 'INVENTORY', [inventory]);
  const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
  const reg = { id: 1, flags: 0, pos: 0n, fown, name: '/old/\x1bfile' };
  await encodeImage(join(images, 'files.img'), 'FILES', [{ message: { type: 'REG', id: 1, reg } }]);

  expect(await nodeCriu(['merge', images, '-o', merged])).toEqual({
    ...{ exitCode: 0, stderr: '', stdout: `wrote ${merged}: 4.0 KiB of memory from 1 round` },
  });
  expect(await nodeCriu(['merge', images, '-o', merged])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/already holds a checkpoint: .*, or give --overwrite \(/),
  });
  expect(await nodeCriu(['edit', images, '-o', edited, '--path', '/old=/new'])).toEqual({
    ...{ exitCode: 0, stderr: '', stdout: `/old/\\x1bfile -> /new/\\x1bfile\nwrote ${edited}` },
  });
  expect(await nodeCriu(['edit', images, '-o', `${edited}2`, '--listen', '80=81'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--listen: no socket listens on port 80'),
  });
  expect(await nodeCriu(['edit', images, '-o', `${edited}2`])).toMatchObject({ exitCode: 2 });
});
