import { beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { mixedFleet } from '../../helpers/fleet-mix.ts';
import { isSoak, sample } from '../../helpers/sample.ts';

beforeAll(buildLibrary);

test(
  'a host with servers of all kinds is drained, and no client loses an answer',
  async () => {
    const isFull = sample('workloads of a host of all kinds', 12, 5) === 12;
    const scene = await mixedFleet(
      isFull ? { node: 6, redis: 2, nginx: 2 } : { node: 1, redis: 1, nginx: 1 },
    );
    const { fleet, workloads } = scene;
    const drain = await (await fleet.drain('a')).ended();
    const message = drain.steps.map((step) => `${step.workload}: ${step.message}`).join('\n');
    expect(drain, message).toMatchObject({ state: 'done', unplaced: [] });
    expect(drain.steps.map(({ workload }) => workload).sort()).toEqual(
      workloads.map(({ name }) => name).sort(),
    );
    const where = new Map((await fleet.workloads()).map(({ name, host }) => [name, host]));
    expect(where.size).toBe(workloads.length);
    for (const workload of workloads) {
      const host = where.get(workload.name) ?? '';
      expect(host).toMatch(/^[bcd]$/);
      await workload.check(host);
    }
  },
  isSoak ? 600_000 : undefined,
);
