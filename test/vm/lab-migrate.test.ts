import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { allowLargePipes } from '../helpers/large-pipes.ts';
import { Lab } from '../lab/hosts.mjs';
import { migrateIt, startScene } from '../lab/migration.mjs';
import type { Report } from '../lab/programs.mjs';

/** What an empty server and its child have, in MiB, at most. */
const NODE = 160;
/** By mode: lazy pages come a page at a time, which takes minutes for as many on an emulated processor. */
const mib = { 'pre-copy': 256, hybrid: Number(process.env.HYBRID_MIB || 1) };

beforeAll(allowLargePipes);

test.each(['pre-copy', 'hybrid'] as const)(
  '%s moves a server between hosts, with its thread and child, and its client stays connected',
  async (mode) => {
    const lab = await Lab.start();
    onTestFinished(() => lab.close());
    const scene = await startScene(lab, {
      ...{ heap: mib[mode], hot: 1, rate: 100, worker: true, child: true },
      patient: true,
    });
    const before = await scene.client.ask<Report>('report');
    const policy = { maxDowntimeMs: 0, maxRounds: 2 };
    const { result } = await migrateIt(lab, scene, { mode, policy, stallMs: 120_000 });
    await scene.client.answersOn();
    const after = await scene.client.ask<Report>('stop');
    expect(result).toMatchObject({ mode, pid: scene.pid, rounds: 2 });
    // All of it once, and little a second time.
    expect(result.bytes / 2 ** 20).toBeGreaterThan(mib[mode]);
    expect(result.bytes / 2 ** 20).toBeLessThan(1.5 * mib[mode] + NODE);
    expect(after).toMatchObject({ connections: 1, faults: [] });
    expect(after.count).toBeGreaterThan(before.count);
    expect(await scene.here.ask('isAlive', { pid: scene.pid })).toBe(false);
    expect(await scene.client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
  },
  900_000,
);
