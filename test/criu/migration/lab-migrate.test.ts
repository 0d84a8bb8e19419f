import { beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { startLab } from '../../helpers/lab.ts';
import { sample } from '../../helpers/sample.ts';
import { migrateIt, startScene } from '../../lab/migration.mjs';
import type { Report } from '../../lab/programs.mjs';

beforeAll(buildLibrary);

const HEAP_MIB = sample('MiB of heap of a server that moves', 256, 64);

test.each(['stop-and-copy', 'post-copy', 'pre-copy', 'hybrid'] as const)(
  '%s moves a server with a thread and a child, and its client stays connected',
  async (mode) => {
    const lab = await startLab();
    const scene = await startScene(lab, {
      heap: HEAP_MIB,
      hot: 1,
      rate: 500,
      worker: true,
      child: true,
    });
    const before = await scene.client.ask<Report>('report');
    const { result } = await migrateIt(lab, scene, { mode });
    await scene.client.answersOn();
    const after = await scene.client.ask<Report>('stop');
    expect(result).toMatchObject({ mode, pid: scene.pid });
    expect(result.bytes).toBeGreaterThan(HEAP_MIB << 20);
    expect(after).toMatchObject({ connections: 1, faults: [] });
    expect(after.count).toBeGreaterThan(before.count);
    expect(await scene.here.ask('isAlive', { pid: scene.pid })).toBe(false);
    expect(await scene.client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
  },
  120_000,
);
