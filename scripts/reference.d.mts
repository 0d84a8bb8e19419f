import type { rowOf } from '../src/options/table.ts';

export function referencePages(rows: typeof rowOf): Promise<Map<string, string>>;
export function summary(types: string, option: string): string;
