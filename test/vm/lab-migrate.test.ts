import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { allowLargePipes } from '../helpers/large-pipes.ts';
import { sample } from '../helpers/sample.ts';
import { Lab } from '../lab/hosts.mjs';
import { migrateIt, startScene } from '../lab/migration.mjs';
import type { Report } from '../lab/programs.mjs';

/** A server in Node has so much memory that an emulated processor takes minutes to copy it. */
const NATIVE = sample('servers in Node that move in rounds', 1, 0) === 0;
const SERVER = NATIVE
  ? ({ native: true, heap: 8 } as const)
  : ({ heap: 64, worker: true, child: true, interval: 250 } as const);
/** How much such a server sends at most besides its heap, in MiB. */
const BESIDES = NATIVE ? 20 : 160;

beforeAll(allowLargePipes);

test('pre-copy moves a server with its thread, hybrid moves it back, and its client stays connected', async () => {
  const lab = await Lab.start();
  onTestFinished(() => lab.close());
  const scene = await startScene(lab, { ...SERVER, hot: 1, rate: 100, patient: true });
  const ways = [
    { mode: 'pre-copy', from: lab.a, to: lab.b },
    { mode: 'hybrid', from: lab.b, to: lab.a },
  ] as const;
  let { count } = await scene.client.ask<Report>('report');
  for (const { mode, from, to } of ways) {
    const options = { mode, policy: { maxDowntimeMs: 0, maxRounds: 2 }, stallMs: 120_000 };
    const { result } = await migrateIt(lab, scene, options, { from, to });
    await scene.client.answersOn();
    expect(result).toMatchObject({ mode, pid: scene.pid, rounds: 2 });
    // All memory once, and little of it again.
    expect(result.bytes / 2 ** 20).toBeGreaterThan(SERVER.heap);
    expect(result.bytes / 2 ** 20).toBeLessThan(1.5 * SERVER.heap + BESIDES);
    const report = await scene.client.ask<Report>('report');
    expect(report).toMatchObject({ connections: 1, faults: [] });
    expect(report.count).toBeGreaterThan(count);
    count = report.count;
    expect(await scene.agents[from.name].ask('isAlive', { pid: scene.pid })).toBe(false);
  }
  await scene.client.ask('stop');
  expect(await scene.client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
}, 900_000);
