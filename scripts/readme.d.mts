import type { rowOf } from '../src/options/table.ts';

/** README.md as it is, and with the tables of the source. */
export function currentReadme(
  rows: typeof rowOf,
): Promise<{ readonly readme: string; readonly current: string }>;
