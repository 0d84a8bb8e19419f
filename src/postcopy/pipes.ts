import { CriuError } from '../errors.ts';
import { CAP_SYS_RESOURCE, hasCapability } from '../procfs/capability.ts';
import { readStatus } from '../procfs/status.ts';
import { readMaxPipeSize } from '../procfs/system.ts';

/** The size of the pipes through which CRIU serves pages, in bytes. */
const NEEDED = 4 << 20;

/**
 * Checks that CRIU can create pipes of the size that it needs to serve pages, before anything is
 * frozen. CRIU itself does not check this, and fails only when it serves.
 * @throws CriuError ERR_CRIU_NO_LAZY_PAGES
 */
export async function requireLargePipes(operation: string): Promise<void> {
  const effective = (await readStatus('self'))?.capabilities.effective ?? 0n;
  if (hasCapability(effective, CAP_SYS_RESOURCE)) return;
  const limit = (await readMaxPipeSize()) ?? NEEDED;
  if (limit >= NEEDED) return;
  throw new CriuError(
    'ERR_CRIU_NO_LAZY_PAGES',
    `${operation}: CRIU needs pipes of ${NEEDED} bytes to serve pages, and fs.pipe-max-size is ${limit}: ` +
      `run sysctl -w fs.pipe-max-size=${NEEDED}, or give this process CAP_SYS_RESOURCE`,
    { operation },
  );
}
