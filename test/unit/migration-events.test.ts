import { describe, expect, test } from 'vitest';
import {
  type MigrationEvent,
  type MigrationPhase,
  migrationEvents,
} from '../../src/migration/source/events.ts';

const phases: readonly MigrationPhase[] = [
  ...(['offer', 'connect', 'rounds', 'dump', 'images', 'prepare'] as const),
  ...(['switch-over', 'hand-over', 'done'] as const),
];

async function readAll(events: AsyncIterable<MigrationEvent>): Promise<MigrationEvent[]> {
  const read: MigrationEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

describe('the events of a migration', () => {
  test('are all delivered, in order, to a consumer that keeps up', async () => {
    const events = migrationEvents();
    const reading = readAll(events);
    for (let timeMs = 0; timeMs < 100; timeMs++) {
      events.push({ phase: 'dump', timeMs });
      await new Promise(setImmediate);
    }
    events.end();
    expect((await reading).map(({ timeMs }) => timeMs)).toEqual([...Array(100).keys()]);
  });

  test('stay few if nobody reads a million of them, and every phase is still delivered', async () => {
    const events = migrationEvents();
    let timeMs = 0;
    for (const phase of phases) {
      for (let count = 0; count < 1_000_000 / phases.length; count++) {
        events.push({ phase, timeMs: timeMs++ });
      }
      expect(events.size).toBeLessThanOrEqual(phases.length + 1);
    }
    events.end();
    const read = await readAll(events);
    expect(read.slice(0, -1).map(({ phase }) => phase)).toEqual(phases);
    expect(read.at(-1)).toEqual({ phase: 'done', timeMs: timeMs - 1 });
  });

  test('include the end of each round, however late they are read', async () => {
    const events = migrationEvents();
    for (let round = 0; round < 5; round++) {
      for (let count = 0; count < 10; count++) events.push({ phase: 'rounds', timeMs: count });
      events.push({ phase: 'rounds', timeMs: 10, round });
      events.push({ phase: 'rounds', timeMs: 11 });
    }
    events.end();
    const rounds = (await readAll(events)).flatMap(({ round }) => round ?? []);
    expect(rounds).toEqual([0, 1, 2, 3, 4]);
  });

  test('end for a consumer that waits for the next one', async () => {
    const events = migrationEvents();
    const reading = readAll(events);
    await new Promise(setImmediate);
    events.end();
    events.push({ phase: 'done', timeMs: 0 });
    expect(await reading).toEqual([]);
  });
});
