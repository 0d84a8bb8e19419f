import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory that only its owner may look into, and those above it that are missing. Not by
 * `recursive` of mkdir, which never ends where no directory can be made, as in /proc.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  const whole = resolve(path);
  try {
    await makeOne(whole);
  } catch (error) {
    const parent = dirname(whole);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === whole) throw error;
    await makePrivateDirectory(parent);
    await makeOne(whole);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (!isThere || !(await stat(path)).isDirectory()) throw error;
  }
}
