import { rename } from 'node:fs/promises';
import { native } from '../native/index.ts';
import type { Files } from './files.ts';

/** Gives each of two directories the name of the other. */
export async function exchange(
  one: string,
  other: string,
  files: Pick<Files, 'rename'> = { rename },
): Promise<void> {
  try {
    native().exchange(one, other);
  } catch (error) {
    // File systems such as NFS cannot do it in one step.
    if (!['EINVAL', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    const aside = `${one}.old`;
    await files.rename(other, aside);
    await files.rename(one, other);
    await files.rename(aside, one);
  }
}
