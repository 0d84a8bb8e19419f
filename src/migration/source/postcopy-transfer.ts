import type { Socket } from 'node:net';
import { deferred } from '../../concurrency/deferred.ts';
import type { CriuError } from '../../errors.ts';
import { lazyDump } from '../../postcopy/lazy-dump.ts';
import type { LazySource } from '../../postcopy/lazy-source.ts';
import { isPostcopy } from '../protocol/modes.ts';
import type { PageTunnel } from '../protocol/page-tunnel.ts';
import { awaitPages, commit } from './commit.ts';
import {
  beginDump,
  beginPhase,
  openRoundTunnel,
  roundDirectory,
  type TransferContext,
} from './context.ts';
import { OPERATION } from './failures.ts';
import type { TransferResult } from './precopy-transfer.ts';
import { copyInRounds } from './rounds.ts';

const PROGRESS_MS = 250;

/** Moves the rest of the memory after the copy runs: `post-copy` and `hybrid`. */
export async function transferAfterCopyRuns(context: TransferContext): Promise<TransferResult> {
  const { link, pages, interruption, original, progress, stallMs } = context;
  const peer = await link.connectPages(pages.pagePort, pages.lazyToken, true);
  progress.countBytes(() => peer.bytesWritten);
  // True once the copy has all of its memory, false once it never will.
  const isComplete = deferred<boolean>();
  using tunnel = context.mode === 'hybrid' ? await openRoundTunnel(context) : undefined;
  const { source, rounds } = await startSource(context, tunnel, peer, isComplete.promise).catch(
    (error) => {
      peer.destroy();
      throw error;
    },
  );
  let sourceError: CriuError | undefined;
  source.done.catch((error: CriuError) => {
    if (interruption.isCommitted) return;
    if (error.code !== 'ERR_CRIU_ABORTED') sourceError = error;
    interruption.abort(error);
  });
  try {
    const finished = { index: rounds, directory: source.imagesDirectory, lazy: true };
    const committed = await commit(context, finished);
    await beginPhase(context, 'pages');
    const timer = setInterval(() => progress.reportPages(source.progress), PROGRESS_MS).unref();
    await awaitPages(context).finally(() => clearInterval(timer));
    isComplete.resolve(true);
    await untilEnded(source, stallMs);
    return { ...committed, rounds };
  } catch (error) {
    // Closing the source makes the source fail as well, but that failure is not the cause.
    const cause = sourceError ?? error;
    isComplete.resolve(false);
    // A tree that was stopped for the hand-over stays stopped until addresses are moved back.
    if (original.isStopped) await source.close();
    else await source.resume().catch(() => {});
    throw cause;
  }
}

/** Freezes the tree, and serves its memory to the destination. */
async function startSource(
  context: TransferContext,
  tunnel: PageTunnel | undefined,
  peer: Socket,
  isComplete: Promise<boolean>,
): Promise<{ source: LazySource; rounds: number }> {
  const { client, pid, options, rateLimit, original, interruption, dumpWatch } = context;
  // Once the original is stopped for the hand-over, the end of criu must not resume it.
  const serving = { mustStayStopped: () => original.isStopped, rateLimit };
  const lastDump = {
    ...options.dump,
    hooks: dumpWatch.hooks(options.dump?.hooks),
    signal: interruption.signal,
    confirm: () => isComplete,
  };
  if (tunnel) {
    return await tunnel.criuFd.use(async (fd) => {
      const { iteration, rounds } = await copyInRounds(context, fd, isPostcopy(context.mode));
      try {
        await beginDump(context, tunnel);
        return { source: await iteration.lazyDumpTo(peer, lastDump, serving), rounds };
      } catch (error) {
        await iteration.close();
        throw error;
      }
    });
  }
  await beginDump(context);
  const imagesDirectory = roundDirectory(context, 0);
  const forDump = { ...lastDump, imagesDirectory, manifest: false };
  const source = await lazyDump(client, pid, forDump, { operation: OPERATION, peer, ...serving });
  return { source, rounds: 0 };
}

/** Awaits the end of a source whose copy is complete; ignores a connection that broke after the last page. */
async function untilEnded(source: LazySource, timeoutMs: number): Promise<void> {
  const discard = () => source.discard().catch(() => {});
  const timer = setTimeout(discard, timeoutMs);
  await source.done.catch(discard).finally(() => clearTimeout(timer));
}
