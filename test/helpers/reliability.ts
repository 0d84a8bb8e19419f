import { mkdir, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';

const noted = new URL('../../.cache/reliability/', import.meta.url);

/** A fault that a test has tried, and what came of it: a row of docs/faults.md. */
export interface Fault {
  /** What was done, as `criu killed by SIGKILL at post-dump`. */
  readonly fault: string;
  /** What the caller is told: the code of the error. */
  readonly error: string;
  /** Where the workload is afterwards. */
  readonly workload: string;
  /** What is left behind, and who takes it away; `nothing` if there is nothing. */
  readonly left: string;
}

const faults = new Map<string, Fault[]>();

/**
 * Notes a fault, once all that is expected of it has been seen. After a run of all tests
 * scripts/faults.mjs makes the page of the notes.
 */
export async function noteFault(section: string, fault: Fault): Promise<void> {
  const rows = faults.get(section) ?? [];
  rows.push(fault);
  faults.set(section, rows);
  await mkdir(noted, { recursive: true });
  // Several test files may note faults of one section, each in a process of its own.
  const file = (expect.getState().testPath ?? '').split('/').slice(-2).join('-');
  await writeFile(new URL(`${section}.${file}.json`, noted), JSON.stringify(rows));
}
