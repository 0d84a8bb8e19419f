import { open, readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readManifest } from '../../../src/images.ts';
import { type DumpOptions, verifyImages } from '../../../src/index.ts';
import { dumpedFamily } from '../../helpers/checkpoints.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

/** Enough for its checksum to be made while CRIU writes it. */
const MEMORY = { heapMiB: 24, hotMiB: 1, pagesPerSecond: 100 } as const;

async function dumped(options: DumpOptions = {}) {
  const imagesDirectory = await temporaryDirectory();
  const { pid } = await startMemoryWorkload(MEMORY);
  await client().dump(pid, { imagesDirectory, ...options });
  const manifest = await readManifest(imagesDirectory);
  expect(manifest?.files['pages-1.img']?.bytes).toBeGreaterThan(24 << 20);
  return imagesDirectory;
}

describe('the checksums of memory that is read while CRIU writes it', () => {
  test.each<[string, DumpOptions]>([
    ['a dump', {}],
    ['a dump that is not durable', { durable: false }],
    ['a dump with hooks', { hooks: { postDump() {} } }],
  ])('are right after %s', async (_name, options) => {
    expect(await verifyImages(await dumped(options), { deep: true })).toEqual([]);
  });

  test('are right after a dump into an open directory', async () => {
    const path = await temporaryDirectory();
    await using directory = await open(path);
    const { pid } = await startMemoryWorkload(MEMORY);
    await client().dump(pid, { imagesDirectory: directory });
    expect(await verifyImages(path, { deep: true })).toEqual([]);
  });

  test('are those of what a hook has made of the images', async () => {
    const imagesDirectory = await dumped({
      hooks: {
        async postDump(directory) {
          await using file = await open(join(directory, 'pages-1.img'), 'r+');
          await file.write('changed', 4096);
        },
      },
    });
    expect(await verifyImages(imagesDirectory, { deep: true })).toEqual([]);
    const longer = await dumped({
      hooks: { postDump: (directory) => truncate(join(directory, 'pages-1.img'), 64 << 20) },
    });
    expect(await verifyImages(longer, { deep: true })).toEqual([]);
  });

  test('are made for the files of all processes', async () => {
    const { imagesDirectory, pids } = await dumpedFamily(client());
    const names = (await readdir(imagesDirectory)).filter((name) => name.startsWith('pages-'));
    expect(names.length).toBeGreaterThanOrEqual(pids.length);
    expect(await verifyImages(imagesDirectory, { deep: true })).toEqual([]);
  });

  test('leave nothing behind if the dump fails', async () => {
    const criu = client();
    const memory = await startMemoryWorkload(MEMORY);
    const imagesDirectory = await temporaryDirectory();
    const before = await holdings();
    const hooks = {
      postDump() {
        throw new Error('no');
      },
    };
    const error = await failureOf(criu.dump(memory.pid, { imagesDirectory, hooks }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running' });
    expect(await holdings()).toEqual(before);
    await criu.dump(memory.pid, { imagesDirectory });
    await waitGone(memory.pid);
    expect(await verifyImages(imagesDirectory, { deep: true })).toEqual([]);
  });
});
