import type { WorkloadState } from '../../../errors.ts';
import type { OutgoingJournal } from '../../journal/outgoing-journal.ts';
import type { Owner } from '../../protocol/states.ts';
import { bringBackAddresses } from './outgoing-addresses.ts';

/** Whether clients reach the service of a migration that was resolved, and what is left to do. */
export interface Reachability {
  readonly reachable: boolean | undefined;
  readonly remaining: readonly string[];
}

/**
 * Moves back what the switch-over of a migration has moved, according to the journal.
 * @returns what is left to do; undefined if nothing is
 */
export async function moveBack(
  journal: OutgoingJournal,
  switchBack: (() => Promise<void> | void) | undefined,
): Promise<string | undefined> {
  const { entry } = journal;
  if (!entry?.isSwitchedOver) return undefined;
  const { addresses = [], state } = entry;
  try {
    if (addresses.length > 0) await bringBackAddresses(addresses);
    else if (switchBack) await switchBack();
    else return 'switchOver was called: move the addresses back to this host, or pass switchBack';
  } catch (error) {
    return `the addresses are not back on this host: ${(error as Error).message}`;
  }
  await journal.write(state, { isSwitchedOver: false });
  return undefined;
}

/**
 * What the result of a resolution says of the service.
 * @param obstacle what {@link moveBack} has returned
 */
export function reachabilityOf(
  owner: Owner,
  workload: WorkloadState,
  obstacle: string | undefined,
): Reachability {
  if (owner === 'undecided') return { reachable: undefined, remaining: [] };
  if (owner === 'destination') return { reachable: true, remaining: [] };
  const gone = workload === 'gone' ? ['the original is gone: start the service anew'] : [];
  const remaining = [...(obstacle === undefined ? [] : [obstacle]), ...gone];
  return { reachable: remaining.length === 0, remaining };
}
