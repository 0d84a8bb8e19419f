import { cp, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readMemory } from '../../../src/images.ts';
import { verifyImages } from '../../../src/index.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

test('the memory of a process is read from a chain of images, also if they are compressed', async () => {
  const memory = await startMemoryWorkload({
    ...{ heapMiB: 2, hotMiB: 1, pagesPerSecond: 1000 },
    // With rseq the kernel writes the number of the processor into the memory, also while the process is being stopped.
    env: { GLIBC_TUNABLES: 'glibc.pthread.rseq=0' },
  });
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await client().iterate(memory.pid, {
    ...{ imagesDirectory, tracking: 'compare', leaveStopped: true },
  });
  await iteration.preDump();
  await memory.writesOn();
  await iteration.preDump();
  await memory.writesOn();
  const { directory } = await iteration.dump();

  // The process is stopped, so that its memory is what was dumped.
  await using live = await open(`/proc/${memory.pid}/mem`);
  const compare = async (images: string) => {
    let size = 0;
    let different = 0;
    for await (const { address, bytes } of readMemory(images, { pid: memory.pid })) {
      const now = Buffer.alloc(bytes.length);
      await live.read(now, 0, now.length, Number(address));
      if (!now.equals(bytes)) different++;
      size += bytes.length;
    }
    return { size, different };
  };
  const whole = await compare(directory);
  expect(whole.size).toBeGreaterThan(2 * 2 ** 20);
  expect(whole.different).toBe(0);

  const compressed = join(imagesDirectory, 'compressed');
  await cp(directory, compressed, { recursive: true, verbatimSymlinks: true });
  const { stdout } = await execa(resolve('.cache/crit/python'), [
    ...['-m', 'crit', 'compress', '--in-place', compressed],
  ]);
  expect(stdout).toContain('Done');
  expect(await verifyImages(compressed)).toEqual([]);
  expect(await compare(compressed)).toEqual(whole);
});
