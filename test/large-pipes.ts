import { readFileSync, writeFileSync } from 'node:fs';

const FILE = '/proc/sys/fs/pipe-max-size';
const NEEDED = 4 << 20;

/**
 * Lets CRIU create the large pipes from which it serves lazy pages, also if root lacks CAP_SYS_RESOURCE here.
 * Vitest calls it before the tests of a project. It raises a limit of the whole machine for good.
 */
export function setup(): void {
  if (process.getuid?.() !== 0) return;
  if (Number(readFileSync(FILE, 'latin1')) < NEEDED) writeFileSync(FILE, String(NEEDED));
}
