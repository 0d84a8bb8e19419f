import { CriuError } from '../errors.ts';
import { idsToRestore, readTree, type TreeEntry } from '../images/pstree.ts';
import { type RestoreStats, restoreStatsIn } from '../images/stats.ts';
import type { Hooks } from '../options/hooks.ts';
import { directoryPath } from '../options/kinds.ts';
import type { OptionOf } from '../options/table.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import { filesIn } from '../process/files.ts';
import { awaitReaped } from '../process/reaping.ts';
import { describeOccupant, isZombie } from '../procfs/occupant.ts';
import { stateOf } from '../procfs/stat.ts';
import { describeTerminalOwner } from '../procfs/terminal-owner.ts';
import { bindRoot } from './bound-root.ts';
import type { Client } from './client.ts';
import { resolveOptions } from './resolve.ts';
import { inheritedBy, RestoredProcess } from './restored-process.ts';
import { RestoredRoot } from './restored-root.ts';
import { type Job, perform } from './run.ts';

/** Options of {@link Criu.restore}. `imagesDirectory` is required. */
export interface RestoreOptions extends Pick<CriuOpts, OptionOf<'restore'>>, OperationOptions {
  /** Functions to call at CRIU's steps. */
  hooks?: Hooks;
}

/** What else a restore can need. */
export interface RestoreContext {
  /** The processes, if their images are not in the directory. */
  readonly streamed?: readonly TreeEntry[];
  /** Prepares what CRIU needs for the request, while it starts. */
  readonly prepare?: () => Promise<void>;
}

/** Restores the processes of an images directory. */
export async function restore(
  client: Client,
  given: RestoreOptions,
  { streamed, prepare }: RestoreContext = {},
): Promise<RestoredProcess> {
  const start = performance.now();
  await using bound = await bindRoot('restore', client, given);
  using resolved = await resolveOptions(bound.client, 'restore', bound.given);
  const { imagesDirectory, asChild = false } = resolved.effective;
  let tree: readonly TreeEntry[] = [];
  // Empty for the criu of a service, which may be in another pid namespace.
  let ids: readonly number[] = [];
  using root = new RestoredRoot();
  const job: Job<RestoreStats> = {
    request: {
      type: 'RESTORE',
      label: 'restore',
      config: bound.config,
      async stage() {
        const directory = directoryPath(imagesDirectory);
        tree = streamed ?? (await readTree(directory, await filesIn(directory)));
        if (client.socket === undefined) ids = idsToRestore(tree);
        const cancelled = resolved.cancellation.requested;
        await Promise.all([awaitReaped(ids, { isInUse: isZombie, cancelled }), prepare?.()]);
        return undefined;
      },
    },
    lifecycle: {
      observer: ({ script, pid }, now) => {
        if (now === 'acknowledged') root.begun = true;
        else if (script === 'pre-restore') root.expect(tree.map(({ pid }) => pid));
        else root.reached(script, pid);
      },
      isHalfRestored: () => !root.complete,
    },
    forensics: {
      readStats: restoreStatsIn,
      collectEvidence: async ({ replied, killed, session, program }) => {
        await root.search(replied, asChild, program);
        await root.killUnfinished(replied, program);
        await root.died();
        await root.reaped(program);
        const occupants =
          ids.length > 0
            ? { describePid: describeOccupant, describeTerminal: describeTerminalOwner }
            : {};
        if (root.pid === undefined) {
          // Without a reply CRIU has not rolled back. Its children were killed along with it.
          const nothing =
            replied || !root.begun || (killed && !asChild) || root.isFindable(session);
          return { workload: nothing ? 'gone' : 'unknown', ...occupants };
        }
        return { pid: root.pid, workload: stateOf(root.pid), ...occupants };
      },
    },
  };
  try {
    const { stats, log } = await perform(bound.client, resolved, job);
    if (root.pid === undefined) {
      throw new CriuError('ERR_CRIU_PROTOCOL', 'restore: CRIU reported no pid', {
        operation: 'restore',
      });
    }
    // Without privileges its descriptors may not be readable.
    const inherited = await inheritedBy(root.pid, resolved.effective.inheritFd).catch(() => []);
    const durationMs = performance.now() - start;
    return new RestoredProcess(root.pid, root.pidfd, { stats, log, durationMs }, inherited);
  } catch (error) {
    root.leave();
    throw error;
  }
}
