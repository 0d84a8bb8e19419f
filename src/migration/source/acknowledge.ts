import type { OutgoingJournal } from '../journal/outgoing-journal.ts';
import type { DestinationClient } from '../protocol/destination-client.ts';

/** How long the destination may take, in milliseconds. */
const TIMEOUT_MS = 2000;

/**
 * Tells the destination that this host knows how a migration has ended, and notes that in the journal, so
 * that both journals may expire. Without an answer both are kept.
 */
export async function acknowledge(
  client: DestinationClient,
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
