import { oldJournals } from '../journal/journal.ts';
import {
  type OutgoingFacts,
  type OutgoingJournal,
  outgoingJournals,
} from '../journal/outgoing-journal.ts';
import type { DestinationClient } from '../protocol/destination-client.ts';
import { isOpen, type SourceState } from '../protocol/states.ts';

/** How long the destination may take, in milliseconds. */
const TIMEOUT_MS = 2000;
/** How many earlier migrations are acknowledged after one. */
const MAX_OVERDUE = 10;

/**
 * Tells the destination that this host knows how a migration has ended, and notes that in the journal, so
 * that both journals may expire. Without an answer both are kept.
 */
export async function acknowledge(
  client: Pick<DestinationClient, 'call'>,
  id: string,
  journal: OutgoingJournal,
): Promise<void> {
  const { entry } = journal;
  if (!entry) return;
  await client
    .call('acknowledge', { id }, { timeoutMs: TIMEOUT_MS })
    .then(() => journal.write(entry.state, { acknowledged: true }))
    .catch(() => {});
}

/**
 * Acknowledges migrations to the same destination that have ended more than a week ago, and whose
 * acknowledgement got lost: the journals of both hosts would be kept for ever.
 */
export async function acknowledgeOverdue(
  client: Pick<DestinationClient, 'call'>,
  directory: string,
  { host, port }: OutgoingFacts['to'],
): Promise<void> {
  let asked = 0;
  const journals = outgoingJournals(directory);
  for await (const { id, journal } of oldJournals<SourceState, OutgoingFacts>(journals)) {
    const { state, to, acknowledged, isSwitchedOver } = journal.entry ?? {};
    if (state === undefined || isOpen(state) || acknowledged) continue;
    // Its addresses still have to come back.
    if (state === 'aborted' && isSwitchedOver) continue;
    if (to?.host !== host || to.port !== port) continue;
    await acknowledge(client, id, journal);
    if (++asked === MAX_OVERDUE) return;
  }
}
