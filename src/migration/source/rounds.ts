import { CriuError } from '../../errors.ts';
import { iterate } from '../../precopy/iterate.ts';
import type { Iteration } from '../../precopy/iteration.ts';
import { preCopy } from '../../precopy/pre-copy.ts';
import { fitsAnotherRound } from '../protocol/page-budget.ts';
import { beginPhase, type TransferContext } from './context.ts';
import { OPERATION } from './failures.ts';

/** The rounds that were made, and the iteration that ends with the dump. */
export interface CopiedRounds {
  readonly iteration: Iteration;
  readonly rounds: number;
}

/**
 * Copies memory in rounds while the processes run.
 * @param pagesFd the connection to the destination's page servers; the iteration uses it until it ends
 */
export async function copyInRounds(
  context: TransferContext,
  pagesFd: number,
  lazyPages: boolean,
): Promise<CopiedRounds> {
  await beginPhase(context, 'rounds');
  const { id, pid, client, images, interruption, options, link, progress } = context;
  const { hooks: _, gracePeriodMs: __, ...dump } = options.dump ?? {};
  const iteration = await iterate(client, pid, {
    ...dump,
    ...{
      imagesDirectory: images,
      lazyPages,
      pageServer: { fd: pagesFd },
      durable: false,
      manifest: false,
    },
    tracking: options.tracking ?? 'auto',
    signal: interruption.signal,
  });
  try {
    const sent: number[] = [];
    const preDump = async () => {
      await link.call('startRound', { id, index: sent.length });
      return await iteration.preDump();
    };
    const precopy = preCopy({ preDump, close: () => iteration.close() }, options.policy);
    for await (const round of precopy) {
      progress.reportRound(round, precopy.decision);
      sent.push(round.stats.bytesWritten);
      // A policy may want more rounds than the destination accepts.
      if (!fitsAnotherRound(context, sent)) break;
    }
    if (precopy.decision?.action !== 'abort') return { iteration, rounds: sent.length };
    const message = `${OPERATION}: the policy aborted the migration`;
    throw new CriuError('ERR_CRIU_ABORTED', message, { operation: OPERATION });
  } catch (error) {
    await iteration.close();
    throw error;
  }
}
