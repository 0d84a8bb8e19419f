import { expect } from 'vitest';
import type { Criu, DumpOptions } from '../../src/index.ts';
import { countsInOrder, startCounting } from './checkpoints.ts';
import { holdings } from './own-resources.ts';
import { type Counter, client, temporaryDirectory, waitGone } from './workload.ts';

/** A client, a counter, and the resources of this process with them. */
export async function ready(size = '64') {
  const criu = client();
  await criu.version();
  const counter = await startCounting('counter', [size]);
  return { criu, counter, before: await holdings() };
}

/** The counter continues, this process has the same resources, and the next dump and restore work. */
export async function expectIntact(
  criu: Criu,
  counter: Counter,
  before: unknown,
  options: Partial<DumpOptions> = {},
  restores = true,
): Promise<void> {
  expect(await holdings()).toEqual(before);
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);
  const given = { ...options, imagesDirectory: await temporaryDirectory() };
  await criu.dump(counter.pid, { ...given, leaveRunning: !restores });
  if (restores) {
    await waitGone(counter.pid);
    const { freezeCgroup, ...rest } = given;
    await criu.restore(rest);
  }
  await counter.countsOn();
}

/** Hooks of a dump that do something at a step. */
export function hookAt(step: 'preDump' | 'queryExtFiles' | 'postDump', action: () => unknown) {
  return {
    [step]: async () => {
      await action();
      return [];
    },
  };
}
