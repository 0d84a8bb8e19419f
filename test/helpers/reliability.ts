import { mkdir, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';

const noted = new URL('../../.cache/reliability/', import.meta.url);

/** A fault that a test has tried, and its outcome: a row of docs/faults.md. */
export interface Fault {
  /** The fault, such as `criu killed by SIGKILL at post-dump`. */
  readonly fault: string;
  /** The code of the error that the caller gets. */
  readonly error: string;
  /** The state of the workload afterwards. */
  readonly workload: string;
  /** What is left behind, and what removes it; or `nothing`. */
  readonly left: string;
}

const faults = new Map<string, Fault[]>();

/**
 * Records a fault after all expectations have passed. After a run of all tests scripts/faults.mjs writes
 * the page from the records.
 */
export async function noteFault(section: string, fault: Fault): Promise<void> {
  const rows = faults.get(section) ?? [];
  rows.push(fault);
  faults.set(section, rows);
  await mkdir(noted, { recursive: true });
  // Several test files may record faults of one section, each in its own process.
  const file = (expect.getState().testPath ?? '').split('/').slice(-2).join('-');
  await writeFile(new URL(`${section}.${file}.json`, noted), JSON.stringify(rows));
}
