import { findLazyChain } from '../../images/lazy-chain.ts';
import { lazyPagesIn } from '../../images/lazy-stats.ts';
import { native } from '../../native/index.ts';
import type { PageTunnel } from '../protocol/page-tunnel.ts';
import { LocalPageServer } from './local-page-server.ts';
import { SERVE } from './serve-options.ts';

/** Less memory than this is restored at once: the start of the lazy-pages daemon takes as long. */
const MIN_LAZY_BYTES = 16 << 20;

/**
 * Prepares images for a restore that fetches their memory after the copy runs.
 * @param stallMs how long the daemon may ask for nothing once the copy runs, in milliseconds
 * @param hasParents true for the dump after rounds: CRIU's lazy-pages daemon does not read parent images itself
 * @returns what serves the pages; undefined if that would gain no time
 */
export async function serveImages(
  directory: string,
  hasParents: boolean,
  stallMs: number,
): Promise<'images' | LocalPageServer | undefined> {
  if (!hasParents) return isWorthwhile(await lazyPagesIn(SERVE, directory)) ? 'images' : undefined;
  const chain = await findLazyChain(directory);
  if (!isWorthwhile(chain.pages)) return undefined;
  await chain.mark();
  return new LocalPageServer(chain.stored, stallMs);
}

/** The same after a lazy dump, of which the source has the other memory. */
export async function serveWithSource(
  directory: string,
  source: PageTunnel,
  stallMs: number,
): Promise<LocalPageServer> {
  const chain = await findLazyChain(directory);
  await chain.mark();
  return await source.criuFd.use(async (fd) => new LocalPageServer(chain.stored, stallMs, fd));
}

function isWorthwhile(lazyPages: number): boolean {
  return lazyPages * native().pageSize >= MIN_LAZY_BYTES;
}
