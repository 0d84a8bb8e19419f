import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { encodeImage } from '../../../src/images.ts';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';
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
