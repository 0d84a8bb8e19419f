import { readFile } from 'node:fs/promises';
import { CriuError } from '../errors.ts';

/** What CRIU copies pages through when it serves them, in bytes. */
const NEEDED = 4 << 20;
const CAP_SYS_RESOURCE = 24n;

/**
 * CRIU does not ask whether it got a pipe of the size that it needs to serve pages, and fails as soon
 * as it serves: refused here, when nothing is frozen yet.
 * @throws CriuError ERR_CRIU_NO_LAZY_PAGES
 */
export async function requireLargePipes(operation: string): Promise<void> {
  const status = await readFile('/proc/self/status', 'latin1');
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
  if ((effective >> CAP_SYS_RESOURCE) & 1n) return;
  const most = Number(await readFile('/proc/sys/fs/pipe-max-size', 'latin1').catch(() => NEEDED));
  if (most >= NEEDED) return;
  throw new CriuError(
    'ERR_CRIU_NO_LAZY_PAGES',
    `${operation}: CRIU serves pages through pipes of ${NEEDED} bytes, and fs.pipe-max-size is ${most}: ` +
      `run sysctl -w fs.pipe-max-size=${NEEDED}, or give this process CAP_SYS_RESOURCE`,
    { operation },
  );
}
