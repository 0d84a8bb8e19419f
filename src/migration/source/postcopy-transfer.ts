import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { CriuError } from '../../errors.ts';
import type { OfferReply__Output } from '../../generated/types/node_criu/OfferReply.ts';
import { lazyDump } from '../../postcopy/lazy-dump.ts';
import type { LazySource } from '../../postcopy/lazy-source.ts';
import { askUntil, handOver } from './commit.ts';
import { OPERATION } from './failures.ts';
import type { Outgoing } from './outgoing.ts';
import { copyInRounds } from './rounds.ts';

const PROGRESS_MS = 250;

/** Whether the copy is well, once that is known. */
interface Verdict {
  readonly isWell: Promise<boolean>;
  settle(isWell: boolean): void;
}

/** Post-copy, and hybrid: the copy runs, and then gets its memory from the original. */
export async function moveMemoryLast(
  outgoing: Outgoing,
  offered: OfferReply__Output,
): Promise<void> {
  const verdict = newVerdict();
  const peer = await outgoing.connect(offered.pagePort, offered.lazyToken);
  const source = await startSource(outgoing, offered, peer, verdict).catch((error) => {
    peer.destroy();
    throw error;
  });
  outgoing.lazyBytes = () => peer.bytesWritten;
  let lost: CriuError | undefined;
  source.done.catch((error: CriuError) => {
    if (outgoing.handedOver) return;
    if (error.code !== 'ERR_CRIU_ABORTED') lost = error;
    outgoing.abort(error);
  });
  try {
    await handOver(outgoing, outgoing.rounds, source.imagesDirectory, true);
    await outgoing.begin('pages');
    const progress = setInterval(() => outgoing.progress.tellPages(source.progress), PROGRESS_MS);
    const pages = askUntil(outgoing, 'awaitPages', (state) => state === 'complete');
    outgoing.copy = await pages.finally(() => clearInterval(progress.unref()));
    verdict.settle(true);
    await ended(source, outgoing.stallMs);
  } catch (error) {
    const cause = lost ?? error;
    verdict.settle(false);
    // Once it is stopped for the hand-over it stays so, until addresses are back.
    if (outgoing.original) await source.close();
    else await source.resume().catch(() => {});
    throw cause;
  }
}

/** Freezes the tree, and serves its memory to the destination. */
async function startSource(
  outgoing: Outgoing,
  offered: OfferReply__Output,
  peer: Socket,
  { isWell }: Verdict,
): Promise<LazySource> {
  const { client, pid, images, given } = outgoing;
  // Once it is stopped for the hand-over, it is not criu's end that decides.
  const mustStayStopped = () => outgoing.original !== undefined;
  const way = { mustStayStopped, rateLimit: given.rateLimit };
  const options = () => ({
    ...outgoing.dumpOptions(outgoing.followed(given.dump?.hooks)),
    confirm: () => isWell,
  });
  if (outgoing.mode === 'hybrid') {
    const { criuFd } = await outgoing.openTunnel(offered);
    return await criuFd.use(async (fd) => {
      const iteration = await copyInRounds(outgoing, fd, true);
      try {
        await outgoing.beginDump();
        return await iteration.lazyDumpTo(peer, options(), way);
      } catch (error) {
        await iteration.close();
        throw error;
      }
    });
  }
  await outgoing.beginDump();
  const imagesDirectory = join(images, '0');
  const forDump = { ...options(), imagesDirectory };
  return await lazyDump(client, pid, forDump, { operation: OPERATION, peer, ...way });
}

/** The copy is complete; the connection may have broken off behind the last page. */
async function ended(source: LazySource, withinMs: number): Promise<void> {
  const discard = () => source.discard().catch(() => {});
  const late = setTimeout(discard, withinMs);
  await source.done.catch(discard).finally(() => clearTimeout(late));
}

function newVerdict(): Verdict {
  let settle!: (isWell: boolean) => void;
  const isWell = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  return { isWell, settle };
}
