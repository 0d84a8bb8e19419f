import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { Lab } from '../../scripts/lab/hosts.mjs';
import { migrateIt, startScene } from '../../scripts/lab/migration.mjs';
import type { Report } from '../../scripts/lab/programs.mjs';
import { buildLibrary } from '../helpers/built.ts';
import { allowLargePipes } from '../helpers/large-pipes.ts';
import { ALL_MOMENTS } from '../helpers/migration-faults.ts';

beforeAll(async () => {
  await buildLibrary();
  await allowLargePipes();
});

/** An emulated processor takes minutes to send more by TLS. */
const MIB = ALL_MOMENTS ? 256 : 32;

test.each(['pre-copy', 'hybrid'] as const)(
  `%s moves a server of ${MIB} MiB between hosts, with its thread and child, and its client stays connected`,
  async (mode) => {
    const lab = await Lab.start({ parent: '/dev/shm' });
    onTestFinished(() => lab.close());
    const scene = await startScene(lab, {
      heap: MIB,
      hot: 1,
      rate: 200,
      worker: true,
      child: true,
    });
    const before = await scene.client.ask<Report>('report');
    const policy = { maxDowntimeMs: 0, maxRounds: 3 };
    const { result } = await migrateIt(lab, scene, { mode, policy, stallMs: 60_000 });
    await scene.client.answersOn();
    const after = await scene.client.ask<Report>('stop');
    expect(result).toMatchObject({ mode, pid: scene.pid });
    expect(result.rounds).toBeGreaterThan(1);
    // All of it goes over once, and little of it again.
    expect(result.bytes).toBeGreaterThan(MIB << 20);
    expect(result.bytes).toBeLessThan((2 * MIB + 32) << 20);
    expect(after).toMatchObject({ connections: 1, faults: [] });
    expect(after.count).toBeGreaterThan(before.count);
    expect(await scene.here.ask('isAlive', { pid: scene.pid })).toBe(false);
    expect(await scene.client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
  },
  ALL_MOMENTS ? 900_000 : 300_000,
);
