import { test } from 'vitest';
import { casesOf, type Expected, tryCase } from '../../helpers/migration-faults.ts';

const FAILED = 'ERR_CRIU_MIGRATION_FAILED';
const UNRESOLVED = 'ERR_CRIU_MIGRATION_UNRESOLVED';
const REFUSED = 'ERR_CRIU_MIGRATION_REFUSED';
const before = ['offer', 'connect', 'dump', 'images', 'prepare', 'switch-over'] as const;
const undecided = ['connect', 'dump', 'images', 'prepare', 'switch-over'] as const;

/** The faults, and their outcome where it is certain; in the middle of a phase it may vary. */
const expected: Expected[] = [
  ['hook throws', [...before, 'hand-over'], FAILED, 'source'],
  ['hook throws', ['done'], undefined, 'destination'],
  ['cancelled', [...before, 'hand-over'], 'ERR_CRIU_ABORTED', 'source'],
  ['cancelled', [{ dump: 10 }, { prepare: 50 }, { 'hand-over': 1 }]],
  ['switchOver throws', ['switch-over'], FAILED, 'source'],
  ['agent of the destination killed', ['offer', '=receiving'], REFUSED, 'source'],
  ['agent of the destination killed', undecided, FAILED, 'source'],
  ['agent of the destination killed', ['hand-over'], UNRESOLVED, 'source'],
  ['agent of the destination killed', ['=prepared'], FAILED, 'source'],
  ['agent of the destination killed', ['=complete'], UNRESOLVED, 'destination'],
  ['agent of the destination killed', ['=resuming', { dump: 20 }, { prepare: 60 }]],
  ['agent of the destination killed', [{ 'hand-over': 3 }, { 'hand-over': 15 }]],
  ['destination killed with all in it', ['offer'], REFUSED, 'source'],
  ['destination killed with all in it', undecided, FAILED, 'source'],
  ['destination killed with all in it', ['hand-over'], UNRESOLVED, 'source'],
  ['agent of the source killed', [...before, 'hand-over'], undefined, 'source'],
  ['agent of the source killed', [{ dump: 30 }, { prepare: 60 }]],
  ['agent of the source killed', [{ 'hand-over': 5 }, { 'hand-over': 20 }]],
  ['criu of the source killed', ['images', 'prepare'], 'ERR_CRIU_EOF', 'source'],
  // The original is stopped at the same time: if that comes first, the copy takes over.
  ['criu of the source killed', ['switch-over'], 'any'],
  ['criu of the source killed', ['hand-over'], undefined, 'destination'],
  ['criu of the source killed', [{ dump: 40 }, { prepare: 50 }, { 'hand-over': 5 }]],
  ['criu of the destination killed', ['dump', 'switch-over', 'hand-over'], FAILED, 'source'],
  ['criu of the destination killed', [{ prepare: 50 }]],
  ['connections cut', ['offer'], REFUSED, 'source'],
  ['connections cut', undecided, FAILED, 'source'],
  ['connections cut', ['hand-over'], UNRESOLVED],
  ['connections cut', [{ dump: 20 }, { prepare: 50 }, { 'hand-over': 3 }]],
  ['network stands still', ['offer'], REFUSED, 'source'],
  ['network stands still', undecided, FAILED, 'source'],
  ['network stands still', ['hand-over'], UNRESOLVED],
  ['network stands still', [{ dump: 10 }, { prepare: 50 }, { 'hand-over': 2 }]],
];

const cases = casesOf({ mode: 'stop-and-copy', lazyRestore: false }, expected, 8);

test.each(cases)('%s', (_title, one) => tryCase(one), 90_000);
