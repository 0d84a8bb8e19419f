import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Iteration, type IterationParts } from '../../src/precopy/iteration.ts';
import { prepareRound, type RoundSettings } from '../../src/precopy/round-preparation.ts';
import { failureOf } from '../helpers/failures.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** An iteration whose criu does nothing. */
function iterationIn(images: string): Iteration {
  const exited = new Promise<never>(() => {});
  const parts = {
    ...{ client: { defaults: {} }, pid: process.pid, images, start: performance.now() },
    options: { imagesDirectory: images },
    workerSession: { worker: { exited }, over: false },
    connection: { isOpen: true },
  };
  return new Iteration(parts as unknown as IterationParts);
}

test.each(['preDump', 'dump', 'lazyDump'] as const)(
  '%s of an iteration refuses wrong options by their names, and the iteration goes on',
  async (operation) => {
    const directory = await temporaryDirectory();
    const iteration = iterationIn(directory);
    for (const [option, given] of [
      ['signal', { signal: new EventTarget() }],
      ['signal', { signal: 'SIGTERM' }],
      ['deadlineMs', { deadlineMs: -1 }],
      ['gracePeriodMs', { gracePeriodMs: '5 s' }],
      ['hooks', { hooks: 'preDump' }],
      ['hooks.preDumb', { hooks: { preDumb() {} } }],
    ] as const) {
      expect(await failureOf(iteration[operation](given as never))).toMatchObject({
        ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', operation, option },
      });
    }
    expect(await readdir(directory)).toEqual([]);
  },
);

test('only the dump of an iteration without a preflight has force', async () => {
  const images = await temporaryDirectory();
  const forceOf = async (operation: 'preDump' | 'dump', preflight?: boolean, given = {}) => {
    const options = { imagesDirectory: images, ...(preflight !== undefined && { preflight }) };
    const settings = { options, images } as unknown as RoundSettings;
    return (await prepareRound(operation, settings, 0, given)).options.force;
  };
  expect(await forceOf('dump', false)).toBe(true);
  expect(await forceOf('dump', false, { force: false })).toBe(false);
  expect(await forceOf('dump')).toBeUndefined();
  expect(await forceOf('preDump', false)).toBeUndefined();
});
