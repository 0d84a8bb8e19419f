import { CriuError } from '../errors.ts';
import { CAP_SYS_RESOURCE, hasCapability } from '../procfs/capability.ts';
import { readStatus } from '../procfs/status.ts';
import { readMaxPipeSize } from '../procfs/system.ts';

/** Pipes that are too small for CRIU to serve pages through them. */
export interface SmallPipes {
  /** The size that CRIU needs, and the one that it may use at most, in bytes. */
  readonly needed: number;
  readonly limit: number;
}

const NEEDED = 4 << 20;

/** Reads whether CRIU can create pipes of the size that it needs to serve pages; undefined if it can. */
export async function readSmallPipes(): Promise<SmallPipes | undefined> {
  const effective = (await readStatus('self'))?.capabilities.effective ?? 0n;
  if (hasCapability(effective, CAP_SYS_RESOURCE)) return undefined;
  const limit = (await readMaxPipeSize()) ?? NEEDED;
  return limit >= NEEDED ? undefined : { needed: NEEDED, limit };
}

/**
 * Checks this before anything is frozen. CRIU itself does not check it, and fails only when it serves.
 * @throws CriuError ERR_CRIU_NO_LAZY_PAGES
 */
export async function requireLargePipes(operation: string): Promise<void> {
  const small = await readSmallPipes();
  if (!small) return;
  const { needed, limit } = small;
  throw new CriuError(
    'ERR_CRIU_NO_LAZY_PAGES',
    `${operation}: CRIU needs pipes of ${needed} bytes to serve pages, and fs.pipe-max-size is ${limit}: ` +
      `run sysctl -w fs.pipe-max-size=${needed}, or give this process CAP_SYS_RESOURCE`,
    { operation },
  );
}
