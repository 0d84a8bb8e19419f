import { readdir, rm } from 'node:fs/promises';
import { isMigrationId, Journal } from '../journal/journal.ts';
import {
  type OutgoingFacts,
  outgoingImages,
  outgoingJournals,
} from '../journal/outgoing-journal.ts';
import { isOpen, type SourceState } from '../protocol/states.ts';

/** Removes the images of migrations from this host that have ended, and whose agent died before it removed them. */
export async function removeLeftoverImages(directory: string): Promise<void> {
  const names = await readdir(outgoingImages(directory, ''));
  for (const id of names.filter(isMigrationId)) {
    const journals = outgoingJournals(directory);
    await using journal = await Journal.find<SourceState, OutgoingFacts>(journals, id);
    // While an agent is at work, the journal is locked.
    if (!journal?.entry || !(await journal.lock()) || isOpen(journal.entry.state)) continue;
    await rm(outgoingImages(directory, id), { recursive: true, force: true });
  }
}
