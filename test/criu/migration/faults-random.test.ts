// Any fault at any moment: exactly one copy runs in the end, and nothing is left. A soak run tries a
// thousand; TEST_SEED tries others.
import { test } from 'vitest';
import type { MigrationPhase } from '../../../src/index.ts';
import { describeFault, type MigrationFault, tryFault } from '../../helpers/migration-faults.ts';
import { seeded } from '../../helpers/random.ts';
import { sample, testSeed } from '../../helpers/sample.ts';

const FAULTS = sample('random faults of migrations', 1000, 3);
/** Longer than most phases of so small a program. */
const MAX_MS = 150;

const random = seeded(testSeed(20_261_128));
const faults = Array.from({ length: FAULTS }, randomFault);

test.each(faults.map((fault, index) => [`${index}, ${describeFault(fault)}`, fault] as const))(
  'fault %s: one copy runs',
  async (_title, fault) => {
    await tryFault(fault, { isNoted: false });
  },
  120_000,
);

function randomFault(): MigrationFault {
  const mode = pick(['stop-and-copy', 'post-copy'] as const);
  const lazy = mode === 'post-copy';
  const kind = pick([
    ...(['agent of the destination killed', 'destination killed with all in it'] as const),
    ...(['agent of the source killed', 'criu of the source killed'] as const),
    ...(['criu of the destination killed', 'connections cut', 'network stands still'] as const),
    'cancelled' as const,
    ...(lazy ? ['lazy-pages daemon killed' as const] : []),
  ]);
  const early = ['offer', 'connect', 'dump', 'images', 'prepare', 'switch-over'] as const;
  // A copy that has taken over would rightly be lost with its host.
  if (kind === 'destination killed with all in it') return { mode, kind, phase: pick(early) };
  const phases: readonly MigrationPhase[] = [
    ...early,
    'hand-over',
    ...(lazy ? ['pages' as const] : []),
  ];
  return { mode, kind, phase: pick(phases), afterMs: random(MAX_MS * 10) / 10 };
}

function pick<T>(choices: readonly T[]): T {
  return choices[random(choices.length)] as T;
}
