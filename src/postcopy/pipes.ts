import { CriuError } from '../errors.ts';
import { CAP_SYS_RESOURCE, hasCapability } from '../procfs/capability.ts';
import { readStatus } from '../procfs/status.ts';
import { readMaxPipeSize } from '../procfs/system.ts';

/** What CRIU copies pages through when it serves them, in bytes. */
const NEEDED = 4 << 20;

/**
 * CRIU does not ask whether it got a pipe of the size that it needs to serve pages, and fails as soon
 * as it serves: refused here, when nothing is frozen yet.
 * @throws CriuError ERR_CRIU_NO_LAZY_PAGES
 */
export async function requireLargePipes(operation: string): Promise<void> {
  const effective = (await readStatus('self'))?.capabilities.effective ?? 0n;
  if (hasCapability(effective, CAP_SYS_RESOURCE)) return;
  const most = (await readMaxPipeSize()) ?? NEEDED;
  if (most >= NEEDED) return;
  throw new CriuError(
    'ERR_CRIU_NO_LAZY_PAGES',
    `${operation}: CRIU serves pages through pipes of ${NEEDED} bytes, and fs.pipe-max-size is ${most}: ` +
      `run sysctl -w fs.pipe-max-size=${NEEDED}, or give this process CAP_SYS_RESOURCE`,
    { operation },
  );
}
