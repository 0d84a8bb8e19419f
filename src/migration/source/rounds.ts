import { CriuError } from '../../errors.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import { iterate } from '../../precopy/iterate.ts';
import type { Iteration } from '../../precopy/iteration.ts';
import { preCopy } from '../../precopy/pre-copy.ts';
import { OPERATION } from './failures.ts';
import type { Outgoing } from './outgoing.ts';

/**
 * Copies memory in rounds while the processes run; each needs a page server at the destination.
 * @param pagesFd the connection to that, for as long as the iteration is there
 */
export async function copyInRounds(
  outgoing: Outgoing,
  pagesFd: number,
  lazyPages: boolean,
): Promise<Iteration> {
  await outgoing.begin('rounds');
  const { id, pid, client, images, signal, given } = outgoing;
  const { hooks, gracePeriodMs, ...options } = (given.dump ?? {}) as DumpOptions;
  const iteration = await iterate(client, pid, {
    ...{ ...options, imagesDirectory: images, lazyPages, signal, pageServer: { fd: pagesFd } },
  });
  try {
    const preDump = async () => {
      await outgoing.ask('startRound', { id, index: outgoing.rounds });
      return await iteration.preDump();
    };
    const rounds = preCopy({ preDump, close: () => iteration.close() }, given.policy);
    for await (const round of rounds) {
      outgoing.rounds++;
      outgoing.progress.tellRound(round, rounds.decision);
    }
    if (rounds.decision?.action !== 'abort') return iteration;
    const message = `${OPERATION}: the policy aborted`;
    throw new CriuError('ERR_CRIU_ABORTED', message, { operation: OPERATION });
  } catch (error) {
    await iteration.close();
    throw error;
  }
}
