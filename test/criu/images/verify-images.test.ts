import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyImages } from '../../../src/index.ts';
import { dumpedCounter, dumpedFamily, startTalker } from '../../helpers/checkpoints.ts';
import { failureOf } from '../../helpers/failures.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

describe('finds no defect in the images of', () => {
  test('a process, which is then restored', async () => {
    const criu = client();
    const { counter, imagesDirectory } = await dumpedCounter(criu);
    expect(await verifyImages(imagesDirectory)).toEqual([]);
    await criu.restore({ imagesDirectory });
    await counter.countsOn();
  });

  test('a tree of processes', async () => {
    const { imagesDirectory } = await dumpedFamily(client());
    expect(await verifyImages(imagesDirectory)).toEqual([]);
  });

  test('a process with a connection, in a network namespace', async () => {
    const { counter, options } = await startTalker();
    const imagesDirectory = await temporaryDirectory();
    await client().dump(counter.pid, { ...options, imagesDirectory });
    expect(await verifyImages(imagesDirectory)).toEqual([]);
  });
});

test('finds each file that is missing, empty or truncated', async () => {
  const { counter, imagesDirectory } = await dumpedCounter(client());
  const { pid } = counter;
  const names = ['inventory', 'pstree', `core-${pid}`, `mm-${pid}`, `pagemap-${pid}`, 'pages-1'];
  for (const name of names) {
    const path = join(imagesDirectory, `${name}.img`);
    const file = await open(path, 'r+');
    const bytes = await file.readFile();
    for (const length of [0, 7, 11, bytes.length - 1]) {
      await file.truncate(length);
      const code = name === 'pages-1' ? 'PAGES_TRUNCATED' : 'BAD_FILE';
      const findings = await verifyImages(imagesDirectory);
      expect(findings, `${name} of ${length} bytes`).toContainEqual({
        code,
        path,
        message: expect.stringContaining(path),
      });
    }
    await file.write(bytes, 0, bytes.length, 0);
    await file.close();
    expect(await verifyImages(imagesDirectory)).toEqual([]);
  }
  for (const name of names) {
    const path = join(imagesDirectory, `${name}.img`);
    const whole = await open(path, 'r');
    const bytes = await whole.readFile();
    await whole.close();
    await rm(path);
    const found = (await verifyImages(imagesDirectory)).map((finding) => [
      finding.code,
      finding.path,
    ]);
    expect(found, name).toContainEqual(['MISSING', path]);
    const again = await open(path, 'w');
    await again.writeFile(bytes);
    await again.close();
  }
  expect(await verifyImages(imagesDirectory)).toEqual([]);
});

test('rejects a missing directory, and a directory that is not a path', async () => {
  const missing = join(await temporaryDirectory(), 'missing');
  expect(await failureOf(verifyImages(missing))).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
  expect(await failureOf(verifyImages(5 as unknown as string))).toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'directory',
  });
});
