import { test } from 'vitest';
import { casesOf, type Expected, tryCase } from '../../helpers/migration-faults.ts';

const FAILED = 'ERR_CRIU_MIGRATION_FAILED';
const UNRESOLVED = 'ERR_CRIU_MIGRATION_UNRESOLVED';

/** The faults, and their outcome where it is certain. In the phase `pages`, the copy lacks memory. */
const expected: Expected[] = [
  ['lazy-pages daemon killed', ['switch-over', 'hand-over'], 'any', 'source'],
  ['agent of the destination killed', ['=resuming', '=resumed'], 'any', 'source'],
  ['agent of the destination killed', ['pages'], UNRESOLVED, 'source'],
  ['destination killed with all in it', ['pages'], UNRESOLVED, 'source'],
  ['lazy-pages daemon killed', ['pages'], FAILED, 'source'],
  ['hook throws', ['pages'], undefined, 'destination'],
  ['cancelled', ['pages'], undefined, 'destination'],
  ['network stands still', ['pages'], UNRESOLVED, 'destination'],
  ['connections cut', ['pages'], UNRESOLVED, 'destination'],
  ['agent of the source killed', ['pages'], undefined, 'destination'],
  ['criu of the source killed', ['pages'], undefined, 'destination'],
];

/** Memory of rounds comes from the agent, so its death counts most. */
const afterRounds: Expected[] = [
  ['lazy-pages daemon killed', ['switch-over', 'hand-over', 'pages'], 'any', 'source'],
  ['destination killed with all in it', ['pages'], UNRESOLVED, 'source'],
  ['network stands still', ['pages'], UNRESOLVED, 'destination'],
  ['agent of the source killed', ['pages'], undefined, 'destination'],
  ['agent of the destination killed', ['=resuming', '=resumed', 'pages'], 'any', 'source'],
];

const cases = [
  ...casesOf({ mode: 'stop-and-copy', lazyRestore: true }, expected, 5),
  ...casesOf({ mode: 'pre-copy', lazyRestore: true }, afterRounds, 5),
];

test.each(cases)('%s', (_title, one) => tryCase(one), 90_000);
