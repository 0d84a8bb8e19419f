import { copyFile, cp, open, readdir, rm, stat, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ImageFinding, verifyImages } from '../../../src/index.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

test('verifyImages() finds damage anywhere in a chain of rounds', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 1000 });
  const whole = join(await temporaryDirectory(), 'whole');
  const iteration = await criu.iterate(memory.pid, { imagesDirectory: whole });
  for (let round = 0; round < 2; round++) {
    await iteration.preDump();
    await memory.writesOn();
  }
  const { directory } = await iteration.dump();
  expect(await verifyImages(directory)).toEqual([]);
  // A pre-dump has only memory and cannot be restored.
  expect(codesOf(await verifyImages(join(whole, '0')))).toEqual(['MISSING']);

  const pagemap = `pagemap-${memory.pid}.img`;
  const damages: [string, (copy: string) => Promise<unknown>, ImageFinding['code']][] = [
    ['the link to the parent', (copy) => rm(join(copy, '2/parent')), 'PARENT_MISSING'],
    ['a parent', (copy) => rm(join(copy, '0'), { recursive: true }), 'PARENT_MISSING'],
    ['a link that leads to itself', (copy) => relink(join(copy, '1'), '../1'), 'PARENT_MISSING'],
    ['pages of a parent', (copy) => rm(join(copy, '0/pages-1.img')), 'MISSING'],
    ['the end of them', (copy) => truncate(join(copy, '0/pages-1.img'), 4096), 'PAGES_TRUNCATED'],
    ['the pagemap of a parent', (copy) => rm(join(copy, '0', pagemap)), 'PAGES_MISSING'],
    ['the right parent', (copy) => relink(join(copy, '1'), '../2'), 'PARENT_MISSING'],
    [
      'the sense of a pagemap',
      async (copy) => await copyFile('/bin/true', join(copy, '1', pagemap)),
      'BAD_FILE',
    ],
  ];
  for (const [what, damage, code] of damages) {
    const copy = join(await temporaryDirectory(), 'copy');
    await cp(whole, copy, { recursive: true, verbatimSymlinks: true });
    await damage(copy);
    const found = codesOf(await verifyImages(join(copy, '2')));
    expect(found, what).toContain(code);
  }
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
  await memory.verify();
});

test('a round with damaged parents is refused, and the process continues', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 1000 });
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, { imagesDirectory });
  await iteration.preDump();
  await iteration.preDump();
  const pages = join(imagesDirectory, '0/pages-1.img');
  const { size } = await stat(pages);
  const file = await open(pages, 'r+');
  await file.truncate(size - 4096);
  await expect(iteration.dump()).rejects.toMatchObject({
    code: 'ERR_CRIU_BAD_IMAGE',
    message: expect.stringContaining(pages),
  });
  await file.close();
  expect(await readdir(imagesDirectory)).not.toContain('2');
  await memory.writesOn();
});

function codesOf(findings: readonly ImageFinding[]): string[] {
  return [...new Set(findings.map(({ code }) => code))].sort();
}

async function relink(directory: string, target: string): Promise<void> {
  await rm(join(directory, 'parent'));
  await symlink(target, join(directory, 'parent'));
}
