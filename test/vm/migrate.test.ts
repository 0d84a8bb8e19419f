import { expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { migrate } from '../../src/index.ts';
import { startLab } from '../helpers/lab.ts';
import { LibraryProcess } from '../helpers/library-process.ts';
import { startMemoryWorkload } from '../helpers/memory-workload.ts';
import { bootedAnew } from '../helpers/migration-host.ts';
import { oneIn, sample } from '../helpers/sample.ts';
import { temporaryDirectory, waitGone } from '../helpers/workload.ts';
import { migrateIt, startScene } from '../lab/migration.mjs';
import type { Report } from '../lab/programs.mjs';

/** As much as a destination leaves lazy at least. */
const HEAP_MIB = 16;
const modes = ['hybrid', 'pre-copy'] as const;
const rounds = { policy: { maxDowntimeMs: 0, maxRounds: 2 }, stallMs: 120_000 } as const;

test('rounds of tracked pages move a process, and most of them come after it runs', async () => {
  const host = await LibraryProcess.start(await bootedAnew());
  const port = await host.ask<number>('serve', {
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true, stallMs: rounds.stallMs },
    directory: await temporaryDirectory(),
  });
  for (const mode of oneIn(2, 'modes that move a process with tracked pages', modes)) {
    const memory = await startMemoryWorkload({ heapMiB: HEAP_MIB, hotMiB: 1, pagesPerSecond: 100 });
    const { result } = migrate(memory.pid, {
      ...{ to: { host: '127.0.0.1', port }, insecure: true, path: criuPath() },
      ...{ directory: await temporaryDirectory(), mode, ...rounds },
    });
    const { pid, bytes, ...moved } = await result;
    expect(moved).toMatchObject({ mode, rounds: 2, phases: { pages: expect.any(Number) } });
    // All memory once, and of the two further copies only what was written.
    expect(bytes / 2 ** 20).toBeGreaterThan(HEAP_MIB);
    expect(bytes / 2 ** 20).toBeLessThan(2 * HEAP_MIB);
    await waitGone(memory.pid);
    await memory.verify(() => host.ask('kill', { pid, signal: 'SIGUSR1' }));
    await memory.writesOn();
  }
}, 400_000);

// An emulated processor takes minutes to copy the memory of Node.
test.each(sample('servers in Node that move in rounds of tracked pages', 1, 0) ? ['in Node'] : [])(
  'pre-copy moves a server %s with its thread, hybrid moves it back, and its client stays connected',
  async () => {
    const lab = await startLab();
    const server = { heap: 64, hot: 1, rate: 100, worker: true, child: true, interval: 250 };
    const scene = await startScene(lab, { ...server, patient: true });
    const ways = [
      { mode: 'pre-copy', from: lab.a, to: lab.b },
      { mode: 'hybrid', from: lab.b, to: lab.a },
    ] as const;
    let { count } = await scene.client.ask<Report>('report');
    for (const { mode, from, to } of ways) {
      const { result } = await migrateIt(lab, scene, { mode, ...rounds }, { from, to });
      await scene.client.answersOn();
      expect(result).toMatchObject({ mode, pid: scene.pid, rounds: 2 });
      const report = await scene.client.ask<Report>('report');
      expect(report).toMatchObject({ connections: 1, faults: [] });
      expect(report.count).toBeGreaterThan(count);
      count = report.count;
      expect(await scene.agents[from.name].ask('isAlive', { pid: scene.pid })).toBe(false);
    }
    await scene.client.ask('stop');
    expect(await scene.client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
  },
  900_000,
);
