import { test } from 'vitest';
import { casesOf, type Expected, tryCase } from '../../helpers/migration-faults.ts';

const FAILED = 'ERR_CRIU_MIGRATION_FAILED';
const UNRESOLVED = 'ERR_CRIU_MIGRATION_UNRESOLVED';
const before = ['connect', 'rounds', 'dump', 'images', 'prepare', 'switch-over'] as const;

const both: Expected[] = [
  ['connections cut', [{ rounds: 50 }, { rounds: 300 }]],
  ['agent of the source killed', [{ rounds: 50 }, { rounds: 300 }]],
  ['hook throws', [...before, 'hand-over'], FAILED, 'source'],
  ['cancelled', [...before, 'hand-over'], 'ERR_CRIU_ABORTED', 'source'],
  ['switchOver throws', ['switch-over'], FAILED, 'source'],
  ['agent of the source killed', [...before, 'hand-over'], undefined, 'source'],
  ['agent of the destination killed', [...before], FAILED, 'source'],
  ['connections cut', [...before], FAILED, 'source'],
  ['network stands still', [...before], FAILED, 'source'],
];
const preCopy: Expected[] = [
  ...both,
  ['destination killed with all in it', [...before], FAILED, 'source'],
  ['hook throws', ['done'], undefined, 'destination'],
  ['agent of the destination killed', ['hand-over'], UNRESOLVED, 'source'],
  ['criu of the source killed', ['images', 'prepare', 'switch-over'], 'any'],
  ['criu of the source killed', ['hand-over'], undefined, 'destination'],
  ['criu of the destination killed', ['switch-over', 'hand-over'], FAILED, 'source'],
  ['connections cut', ['hand-over'], UNRESOLVED],
  ['network stands still', ['hand-over'], UNRESOLVED],
];
const hybrid: Expected[] = [
  ...both,
  ['destination killed with all in it', [...before.slice(0, -1)], FAILED, 'source'],
  // As in post-copy, the connection for the memory may break first.
  ['destination killed with all in it', ['switch-over'], 'any', 'source'],
  // The rounds leave so few pages that the copy may have all of them by then.
  ['criu of the source killed', ['pages'], 'any'],
  ['hook throws', ['pages', 'done'], undefined, 'destination'],
  ['agent of the destination killed', ['hand-over'], 'any', 'source'],
  ['agent of the destination killed', ['pages'], UNRESOLVED],
  ['agent of the source killed', ['pages']],
  ['criu of the source killed', ['images', 'prepare', 'switch-over'], 'any', 'source'],
  ['criu of the source killed', ['hand-over'], FAILED, 'source'],
  ['criu of the destination killed', ['switch-over', 'hand-over'], FAILED, 'source'],
  ['lazy-pages daemon killed', ['switch-over', 'hand-over'], 'any', 'source'],
  ['lazy-pages daemon killed', ['pages'], 'any'],
  ['connections cut', ['hand-over'], 'any', 'source'],
  ['connections cut', ['pages'], 'any'],
  ['network stands still', ['hand-over', 'pages'], 'any'],
  ['cancelled', ['dump'], 'ERR_CRIU_ABORTED', 'source'],
];

const cases = [
  ...casesOf({ mode: 'pre-copy', lazyRestore: false }, preCopy, 8),
  ...casesOf({ mode: 'hybrid' }, hybrid, 8),
];

test.each(cases)('%s', (_title, one) => tryCase(one), 90_000);
