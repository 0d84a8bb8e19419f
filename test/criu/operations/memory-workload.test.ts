import { copyFile, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { client, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

const PAGE = 4096;
/** How many writes change so many pages of the heap that the one in the middle is one of them. */
const CHANGES = 200;
const workload = { heapMiB: 16, hotMiB: 4, pagesPerSecond: 2000 } as const;

test('memory that was dumped while it was written to is whole after the restore', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const before = await memory.verify();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(memory.pid, { imagesDirectory });
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory });
  expect(await memory.verify()).toBeGreaterThanOrEqual(before);
  await memory.writesOn();
});

test.each([
  ['one page of an earlier dump among those of a later one', 'page'],
  ['all pages of an earlier dump in place of those of a later one', 'all'],
  ['a page of zeroes', 'zero'],
])('%s is found out', async (_what, damage) => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const [earlier, later] = [await temporaryDirectory(), await temporaryDirectory()];
  await criu.dump(memory.pid, { imagesDirectory: earlier, leaveRunning: true });
  const before = await memory.verify();
  const hasChanged = async () => (await memory.verify()) > before + CHANGES;
  await waitFor(hasChanged, 'most changed pages are pages of the heap');
  await criu.dump(memory.pid, { imagesDirectory: later });
  await waitGone(memory.pid);
  await damaged(join(earlier, 'pages-1.img'), join(later, 'pages-1.img'), damage);
  await criu.restore({ imagesDirectory: later, leaveStopped: true });
  // The program would soon overwrite the page. It finds the signal before it writes again.
  const checkFirst = () => {
    for (const signal of ['SIGUSR1', 'SIGCONT'] as const) process.kill(memory.pid, signal);
  };
  await expect(memory.verify(checkFirst)).rejects.toThrow(/memory of/);
});

/** Spoils the pages of a dump; those of the earlier one are in the same order. */
async function damaged(earlier: string, later: string, damage: string): Promise<void> {
  if (damage === 'all') return await copyFile(earlier, later);
  const [old, now] = [await readFile(earlier), await readFile(later)];
  expect(old.length).toBe(now.length);
  const differs = (at: number) => old.compare(now, at, at + PAGE, at, at + PAGE) !== 0;
  const pages = Array.from({ length: now.length / PAGE }, (_, page) => page * PAGE);
  // One in the middle: at the ends there are also the stack and the libraries' data.
  const changed = pages.filter(differs);
  const at = changed[Math.floor(changed.length / 2)] as number;
  if (damage === 'zero') return await writeFile(later, now.fill(0, at, at + PAGE));
  const file = await open(later, 'r+');
  await file.write(old, at, PAGE, at);
  await file.close();
}
