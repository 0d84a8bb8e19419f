import { readlink, rm } from 'node:fs/promises';
import { compileFixture } from './compile.ts';

/**
 * Removes CRIU's cache of what the kernel can do: the next criu tests the kernel again.
 * @throws Error outside the sandbox, where the file is the host's
 */
export async function forgetKernel(): Promise<void> {
  const sandbox = await compileFixture('sandbox');
  const init = await readlink('/proc/1/exe').catch(() => undefined);
  if (init !== sandbox) {
    throw new Error("/run/criu.kdat is the host's: run this test by vitest as root, in a sandbox");
  }
  await rm('/run/criu.kdat', { force: true });
}
