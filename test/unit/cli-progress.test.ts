import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test, vi } from 'vitest';
import { withDumpProgress } from '../../src/cli/dump-progress.ts';
import { MigrationProgress } from '../../src/cli/migration-progress.ts';
import { Output, progressLine } from '../../src/cli/output.ts';
import type { MigrationEvent } from '../../src/index.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const MIB = 2 ** 20;

/** The text and the completed part that a migration of 64 MiB reports for its events. */
function reported(events: readonly MigrationEvent[]): (readonly [text: string, part?: number])[] {
  const lines: (readonly [string, number?])[] = [];
  const progress = new MigrationProgress(
    {
      step: (_facts, text) => void lines.push([text]),
      progress: (_facts, text, part) => void lines.push(part === undefined ? [text] : [text, part]),
    },
    64 * MIB,
  );
  for (const event of events) progress.report(event);
  return lines;
}

test('progress is measured in bytes while all of the memory is copied', () => {
  const mode = 'stop-and-copy';
  const at = (phase: MigrationEvent['phase'], timeMs: number, mib: number) =>
    ({ phase, timeMs, mode, bytes: mib * MIB, rate: MIB }) as const;
  expect(reported([at('dump', 100, 0), at('dump', 350, 16), at('dump', 600, 80)])).toEqual([
    ['freezing and dumping the processes'],
    ['dumping: 16.0 MiB of about 64.0 MiB, 1.0 MiB/s', 0.25],
    ['dumping: 80.0 MiB of about 80.0 MiB, 1.0 MiB/s', 1],
  ]);
  expect(reported([at('switch-over', 100, 64), at('switch-over', 2350, 64)])).toEqual([
    ['moving the addresses while neither copy runs'],
    ['moving the addresses while neither copy runs, for 2.3 s'],
  ]);
});

test('the first round has a known end, and each round is reported when it is done', () => {
  const mode = 'pre-copy';
  const at = (phase: MigrationEvent['phase'], mib: number) =>
    ({ phase, timeMs: 1000, mode, bytes: mib * MIB }) as const;
  const first = { round: 0, rate: 2 * MIB, dirtyRate: MIB, estimatedDowntimeMs: 35 };
  expect(
    reported([
      at('rounds', 0),
      at('rounds', 32),
      { ...at('rounds', 64), ...first },
      at('rounds', 66),
    ]),
  ).toEqual([
    ['copying memory while the processes run'],
    ['round 0: 32.0 MiB of about 64.0 MiB', 0.5],
    ['round 0: 64.0 MiB, 2.0 MiB/s, 1.0 MiB/s change, downtime about 35 ms'],
    ['round 1: 66.0 MiB'],
  ]);
  const rest = reported([at('dump', 66), at('dump', 67)]);
  expect(rest.at(-1)).toEqual(['dumping: 67.0 MiB']);
});

test('progress is measured in time while the rest of the pages follow', () => {
  const at = (timeMs: number, etaMs?: number) =>
    ({ phase: 'pages', timeMs, mode: 'post-copy', ...(etaMs && { etaMs }) }) as const;
  expect(reported([at(5000), at(6000, 3000)]).at(-1)).toEqual(['sending memory: 3.0 s left', 0.25]);
});

test.each([
  [100, 0.5, '[########--------]  50 % 32.0 MiB of about 64.0 MiB'],
  [40, 0.5, '[##--]  50 % 32.0 MiB of about 64.0 MiB'],
  [36, 0.5, '50 % 32.0 MiB of about 64.0 MiB'],
  [20, 0.5, '50 % 32.0 MiB of a…'],
  [50, undefined, '[----###---------] 32.0 MiB of about 64.0 MiB'],
  [34, undefined, '[###-] 32.0 MiB of about 64.0 MiB'],
])('progress fits %i columns', (columns, part, line) => {
  const shown = progressLine('32.0 MiB of about 64.0 MiB', columns, part, 4);
  expect(shown).toBe(line);
  expect(shown.length).toBeLessThan(columns);
});

test('the progress of a dump starts at zero in a directory with older images', async () => {
  const directory = await temporaryDirectory();
  const pages = (number: number, size: number) =>
    writeFile(join(directory, `pages-${number}.img`), Buffer.alloc(size));
  await pages(1, 5 * MIB);
  await pages(2, 5 * MIB);
  const reported: number[] = [];
  const output = Object.assign(await Output.open({}), {
    progress: (facts: { bytes: number }) => void reported.push(facts.bytes),
  });
  await withDumpProgress(output, process.pid, {}, async (hooks) => {
    await hooks.preDump?.(directory);
    await pages(2, MIB);
    await pages(3, MIB);
  });
  expect(reported.at(-1)).toBe(2 * MIB);
  expect(Math.max(...reported)).toBe(2 * MIB);
});

test('a step is broken at spaces on a narrow terminal', async () => {
  const { isTTY, columns } = process.stderr;
  Object.assign(process.stderr, { isTTY: true, columns: 40 });
  const written: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(stripVTControlCharacters(String(text)));
    return true;
  });
  try {
    const output = await Output.open({});
    output.step({ step: 'round' }, 'round 0: 411 MiB, 84.5 MiB/s change, downtime about 5.5 s');
  } finally {
    write.mockRestore();
    Object.assign(process.stderr, { isTTY, columns });
  }
  expect(written.join('')).toContain(
    'round 0: 411 MiB, 84.5 MiB/s change,\n  downtime about 5.5 s\n',
  );
});
