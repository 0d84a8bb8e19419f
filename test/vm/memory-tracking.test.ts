import { mkdir, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startMemoryWorkload } from '../helpers/memory-workload.ts';
import { codesOf } from '../helpers/obstacle.ts';
import { client, temporaryDirectory, waitGone } from '../helpers/workload.ts';

const workload = { heapMiB: 8, hotMiB: 1, pagesPerSecond: 1000 } as const;

test('single pre-dumps and a dump form a chain with the whole memory', async () => {
  const criu = client();
  expect(await criu.features()).toMatchObject({ memTrack: true });
  const memory = await startMemoryWorkload(workload);
  const base = await temporaryDirectory();
  const images = (round: number) => ({
    imagesDirectory: join(base, String(round)),
    ...(round > 0 && { parentImage: `../${round - 1}` }),
  });

  const first = await criu.checkpoint(memory.pid, { ...images(0), preDump: true });
  expect(first.log?.path).toBe(join(base, '0/pre-dump.log'));
  expect(first.stats.pagesWritten).toBeGreaterThan(8 * 256);
  expect(await readdir(join(base, '0'))).not.toContain(`core-${memory.pid}.img`);
  for (const round of [1, 2]) {
    await memory.writesOn();
    const { stats } = await criu.preDump(memory.pid, images(round));
    expect(stats.pagesWritten).toBeGreaterThan(0);
    expect(stats.pagesWritten).toBeLessThan(8 * 256);
    expect(stats.pagesSkippedParent).toBeGreaterThan(0);
    expect(await readlink(join(base, String(round), 'parent'))).toBe(`../${round - 1}`);
  }
  // This dump leaves the process running and is the parent of the next one.
  const running = await criu.dump(memory.pid, { ...images(3), trackMem: true, leaveRunning: true });
  expect(running.stats.pagesSkippedParent).toBeGreaterThan(0);
  await memory.writesOn();
  const last = await criu.dump(memory.pid, images(4));
  expect(last.stats.pagesWritten).toBeLessThan(8 * 256);
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: join(base, '4') });
  await memory.verify();
  await memory.writesOn();
});

test('a session makes pre-dumps and a dump', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const base = await temporaryDirectory();
  const session = await criu.session();
  const request = async (type: 'PRE_DUMP' | 'DUMP', round: number) => {
    await mkdir(join(base, String(round)), { mode: 0o700 });
    const directory = await open(join(base, String(round)));
    onTestFinished(() => directory.close());
    return await session.request({
      type,
      opts: {
        images_dir_fd: directory.fd,
        pid: memory.pid,
        track_mem: true,
        ...(round > 0 && { parent_img: `../${round - 1}` }),
      },
    });
  };
  for (const round of [0, 1]) {
    expect(await request('PRE_DUMP', round)).toMatchObject({ type: 'PRE_DUMP', success: true });
    await memory.writesOn();
  }
  expect(await request('DUMP', 2)).toMatchObject({ type: 'DUMP', success: true });
  expect(await session.exited).toEqual({ code: 0, signal: null });
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: join(base, '2') });
  await memory.verify();
});

test('a preflight accepts the options of memory tracking', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  for (const options of [{ preDump: true }, { trackMem: true }, { parentImage: '../parent' }]) {
    expect(codesOf(await criu.preflight(memory.pid, options))).toEqual([]);
  }
});
