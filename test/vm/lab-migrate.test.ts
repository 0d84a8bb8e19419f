import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { allowLargePipes } from '../helpers/large-pipes.ts';
import { sample } from '../helpers/sample.ts';
import { Lab } from '../lab/hosts.mjs';
import { migrateIt, startScene } from '../lab/migration.mjs';
import type { Report } from '../lab/programs.mjs';

/** The most memory that an empty server and its child have, in MiB. */
const NODE = 160;
/**
 * The heap of the server by mode, in MiB. Lazy pages are fetched one by one, which takes minutes on an
 * emulated processor.
 */
const mib = {
  'pre-copy': sample('MiB of a server that moves in rounds', 256, 32),
  hybrid: sample('MiB of a server that moves in the hybrid mode', 64, 1),
};

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
    // All memory once, and little of it again.
    expect(result.bytes / 2 ** 20).toBeGreaterThan(mib[mode]);
    expect(result.bytes / 2 ** 20).toBeLessThan(1.5 * mib[mode] + NODE);
    expect(after).toMatchObject({ connections: 1, faults: [] });
    expect(after.count).toBeGreaterThan(before.count);
    expect(await scene.here.ask('isAlive', { pid: scene.pid })).toBe(false);
    expect(await scene.client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
  },
  900_000,
);
