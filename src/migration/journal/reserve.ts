import { appendFile, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { builtins } from '../../builtins.ts';

/** Enough for the lines that remain to be written in some hundred migrations. */
const SIZE = 256 << 10;
/** How much a line that does not fit releases: more than lines with thousands of processes take. */
const STEP = 64 << 10;

/** The files that are being filled, so that two migrations do not fill one. */
const filling = new Map<string, Promise<void>>();

/** The file that keeps space for the journals in a directory. */
export function reservePath(journals: string): string {
  return join(dirname(journals), 'reserve');
}

/**
 * Keeps space for the lines of journals, so that images that fill the disk cannot keep a decision from being
 * written. Does nothing if the space is kept already, or if there is too little left.
 */
export async function keepReserve(journals: string): Promise<void> {
  const path = reservePath(journals);
  const filled = filling.get(path) ?? fill(path).finally(() => filling.delete(path));
  filling.set(path, filled);
  await filled;
}

async function fill(path: string): Promise<void> {
  const size = await sizeOf(path);
  if (size >= SIZE) return;
  try {
    // Random bytes: a file system could store zeros without space.
    const bytes = builtins.crypto.randomBytes(SIZE - size);
    await appendFile(path, bytes, { mode: 0o600, flush: true });
  } catch {
    await (size === 0 ? rm(path, { force: true }) : truncate(path, size)).catch(() => {});
  }
}

/** Releases a part of the space that is kept. Returns false if nothing is left. */
export async function releaseReserve(journals: string): Promise<boolean> {
  const path = reservePath(journals);
  const size = await sizeOf(path);
  if (size === 0) return false;
  await truncate(path, Math.max(0, size - STEP));
  return true;
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
