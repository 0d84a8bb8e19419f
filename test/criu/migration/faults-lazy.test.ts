import { test } from 'vitest';
import { casesOf, type Expected, tryCase } from '../../helpers/migration-faults.ts';

const FAILED = 'ERR_CRIU_MIGRATION_FAILED';
const UNRESOLVED = 'ERR_CRIU_MIGRATION_UNRESOLVED';
const REFUSED = 'ERR_CRIU_MIGRATION_REFUSED';
const before = ['offer', 'connect', 'dump', 'images', 'prepare', 'switch-over'] as const;

/** The faults, and their outcome where it is certain; in the middle of a phase it may vary. */
const expected: Expected[] = [
  ['hook throws', [...before, 'hand-over'], FAILED, 'source'],
  ['hook throws', ['pages', 'done'], undefined, 'destination'],
  ['cancelled', [...before, 'hand-over'], 'ERR_CRIU_ABORTED', 'source'],
  ['cancelled', ['pages'], undefined, 'destination'],
  ['cancelled', [{ dump: 10 }, { prepare: 50 }, { 'hand-over': 1 }]],
  ['switchOver throws', ['switch-over'], FAILED, 'source'],
  ['agent of the destination killed', ['offer'], REFUSED, 'source'],
  ['agent of the destination killed', ['connect', 'dump', 'images', 'prepare'], FAILED, 'source'],
  ['agent of the destination killed', ['switch-over', '=receiving', '=prepared'], 'any', 'source'],
  ['agent of the destination killed', ['hand-over', '=resuming', '=resumed'], 'any', 'source'],
  ['agent of the destination killed', ['pages'], UNRESOLVED, 'source'],
  ['agent of the destination killed', ['=complete'], UNRESOLVED, 'destination'],
  ['agent of the destination killed', [{ dump: 20 }, { prepare: 60 }, { 'hand-over': 3 }]],
  ['agent of the destination killed', [{ 'hand-over': 15 }, { pages: 5 }]],
  ['destination killed with all in it', ['offer'], REFUSED, 'source'],
  ['destination killed with all in it', ['connect', 'dump', 'images', 'prepare'], FAILED, 'source'],
  ['destination killed with all in it', ['switch-over', 'hand-over'], 'any', 'source'],
  ['destination killed with all in it', ['pages'], UNRESOLVED, 'source'],
  ['destination killed with all in it', [{ pages: 5 }]],
  ['agent of the source killed', [...before, 'hand-over', 'pages'], undefined, 'source'],
  ['agent of the source killed', [{ dump: 30 }, { prepare: 60 }, { 'hand-over': 5 }]],
  ['agent of the source killed', [{ 'hand-over': 20 }, { pages: 5 }]],
  ['criu of the source killed', ['images', 'prepare', 'switch-over'], 'any', 'source'],
  ['criu of the source killed', ['hand-over', 'pages'], FAILED, 'source'],
  ['criu of the source killed', [{ dump: 40 }, { prepare: 50 }, { 'hand-over': 5 }]],
  ['criu of the source killed', [{ pages: 5 }]],
  ['criu of the destination killed', ['switch-over', 'hand-over'], FAILED, 'source'],
  ['criu of the destination killed', [{ prepare: 50 }]],
  ['lazy-pages daemon killed', ['switch-over', 'hand-over', 'pages'], 'any', 'source'],
  ['lazy-pages daemon killed', [{ prepare: 80 }, { pages: 5 }]],
  ['connections cut', ['offer'], REFUSED, 'source'],
  ['connections cut', ['connect', 'dump', 'images', 'prepare'], FAILED, 'source'],
  ['connections cut', ['switch-over', 'hand-over', 'pages'], 'any', 'source'],
  ['connections cut', [{ dump: 20 }, { prepare: 50 }, { 'hand-over': 3 }, { pages: 5 }]],
  ['network stands still', ['offer'], REFUSED, 'source'],
  ['network stands still', ['connect', 'dump', 'images', 'prepare'], FAILED, 'source'],
  ['network stands still', ['switch-over', 'hand-over', 'pages'], 'any'],
  ['network stands still', [{ dump: 10 }, { prepare: 50 }, { 'hand-over': 2 }, { pages: 5 }]],
];

const cases = casesOf({ mode: 'post-copy' }, expected, 8);

test.each(cases)('%s', (_title, one) => tryCase(one), 90_000);
