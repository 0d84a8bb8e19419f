import { dump } from '../../operations/dump.ts';
import { type Hooks, overrideHooks } from '../../options/hooks.ts';
import type { PageTunnel } from '../protocol/page-tunnel.ts';
import { awaitPages, type Committed, commit } from './commit.ts';
import {
  beginDump,
  beginPhase,
  openRoundTunnel,
  roundDirectory,
  type TransferContext,
} from './context.ts';
import { failure, isHookFailure } from './failures.ts';
import { copyInRounds } from './rounds.ts';

/** The outcome of a transfer. */
export interface TransferResult extends Committed {
  /** Rounds before the dump. */
  readonly rounds: number;
}

/** Moves all memory before the copy runs: `stop-and-copy` and `pre-copy`. */
export async function transferBeforeCopyRuns(context: TransferContext): Promise<TransferResult> {
  using tunnel = await openRoundTunnel(context);
  return await tunnel.criuFd.use((fd) =>
    context.mode === 'stop-and-copy'
      ? stopAndCopy(context, tunnel, fd)
      : copyRoundsFirst(context, tunnel, fd),
  );
}

async function stopAndCopy(
  context: TransferContext,
  tunnel: PageTunnel,
  pagesFd: number,
): Promise<TransferResult> {
  const { id, pid, client, link, options, interruption } = context;
  await link.call('startRound', { id, index: 0 });
  const committed = await dumpAndCommit(context, tunnel, 0, (hooks) =>
    dump(client, 'dump', pid, {
      ...options.dump,
      ...{ hooks, signal: interruption.signal, pageServer: { fd: pagesFd } },
      ...{ durable: false, manifest: false },
      imagesDirectory: roundDirectory(context, 0),
    }),
  );
  return { ...committed, rounds: 0 };
}

async function copyRoundsFirst(
  context: TransferContext,
  tunnel: PageTunnel,
  pagesFd: number,
): Promise<TransferResult> {
  const { id, link, options, interruption } = context;
  const { iteration, rounds } = await copyInRounds(context, pagesFd, false);
  await using _ = iteration;
  await link.call('startRound', { id, index: rounds });
  const committed = await dumpAndCommit(context, tunnel, rounds, (hooks) =>
    iteration.dump({ ...options.dump, hooks, signal: interruption.signal }),
  );
  return { ...committed, rounds };
}

/**
 * Runs the dump, and commits while it holds the processes frozen, in its last hook: CRIU ends the
 * original only after the copy runs.
 */
async function dumpAndCommit(
  context: TransferContext,
  tunnel: PageTunnel,
  index: number,
  runDump: (hooks: Hooks) => Promise<unknown>,
): Promise<Committed> {
  const { options, interruption, original, dumpWatch } = context;
  await beginDump(context, tunnel);
  const own = options.dump?.hooks;
  let committing: Promise<Committed> | undefined;
  const postDump: Hooks['postDump'] = async (images) => {
    await own?.postDump?.(images);
    committing = commitAndComplete(context, index);
    await committing;
  };
  try {
    await runDump(overrideHooks(dumpWatch.hooks(own), { postDump }));
  } catch (error) {
    const connectionError = committing ? undefined : tunnel.failure;
    // If criu died, the hook continues without it, and the outcome of the hook counts.
    interruption.abort(error);
    const outcome = await settle(committing);
    if (outcome && !(outcome instanceof Error)) {
      original.kill();
      return outcome;
    }
    if (connectionError) {
      throw failure(`the connection for pages broke: ${connectionError.message}`, error);
    }
    throw (isHookFailure(error) && outcome) || error;
  }
  const committed = await settle(committing);
  if (!committed || committed instanceof Error) throw failure('CRIU did not call post-dump');
  return committed;
}

/** Commits, and keeps the original until the copy has all of its memory. */
async function commitAndComplete(context: TransferContext, index: number): Promise<Committed> {
  const directory = roundDirectory(context, index);
  const committed = await commit(context, { index, directory, lazy: false });
  if (committed.isComplete) return committed;
  await beginPhase(context, 'pages');
  await awaitPages(context);
  return committed;
}

async function settle(committing: Promise<Committed> | undefined) {
  return await committing?.catch((error: Error) => error);
}
