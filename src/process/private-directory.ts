import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory, and those above it that are missing, with access for its owner only. It does not
 * use `recursive` of mkdir, which never ends in a file system without directories to make, such as
 * /proc.
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
