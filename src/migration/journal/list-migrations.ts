import { formatEndpoint } from '../../netlink/ip-address.ts';
import { checkOptions } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { requirePrivate } from '../../process/private-directory.ts';
import { isAgentAlive } from '../protocol/identity.ts';
import { type DestinationState, isFinal, isOpen, type SourceState } from '../protocol/states.ts';
import { readByteCount } from './byte-count.ts';
import { type IncomingFacts, incomingImages, incomingJournals } from './incoming-journal.ts';
import { Journal, journalsIn } from './journal.ts';
import {
  type OutgoingFacts,
  outgoingImages,
  outgoingJournals,
  STATE_DIRECTORY,
} from './outgoing-journal.ts';

/** Options of `criu.listMigrations()`. */
export interface ListMigrationsOptions {
  /** The `directory` of `criu.migrate()` and `criu.serveMigrations()`. Default `/var/lib/node-criu`. */
  readonly directory?: string;
}

/** A migration from or to this host that is under way, or has to be finished. */
export interface ListedMigration {
  /** The id of the migration. */
  readonly id: string;
  /** What this host is in the migration. */
  readonly role: 'source' | 'destination';
  /** The state in the journal of this host. */
  readonly state: SourceState | DestinationState;
  /**
   * `in-flight` while the process that runs it does. `unresolved` if that process has ended or given up: on a
   * source, `criu.resolveMigration()` finishes it; on a destination, the next server in the directory does.
   */
  readonly status: 'in-flight' | 'unresolved';
  /** The root of the original on a source, of the copy on a destination; undefined before it is restored. */
  readonly pid: number | undefined;
  /** The other host: the endpoint of a destination; the name in the certificate of a source, or its address. */
  readonly peer: string | undefined;
  /** When it reached the state. */
  readonly since: Date;
  /** Bytes moved so far, as of a second ago; undefined if that is not known. */
  readonly bytes: number | undefined;
  /** The pid of the process that runs it; undefined if it is unresolved. */
  readonly agent: number | undefined;
}

type Entry<State, Facts> = Partial<Facts> & { readonly state: State };

const OPERATION = 'listMigrations';

/**
 * The migrations from and to this host that are under way or unresolved, by the journals in a directory.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function listMigrations(given: ListMigrationsOptions): Promise<ListedMigration[]> {
  const { directory = STATE_DIRECTORY } = checkOptions(OPERATION, given, { directory: text });
  await requirePrivate(OPERATION, directory);
  return [...(await listOutgoing(directory)), ...(await listIncoming(directory))];
}

/** The migrations from this host. */
export async function listOutgoing(directory: string): Promise<ListedMigration[]> {
  return await list<SourceState, OutgoingFacts>(outgoingJournals(directory), {
    role: 'source',
    isOpen: isOpenOutgoing,
    peerOf: ({ to }) => to && formatEndpoint(to),
    imagesOf: (id) => outgoingImages(directory, id),
  });
}

async function listIncoming(directory: string): Promise<ListedMigration[]> {
  return await list<DestinationState, IncomingFacts>(incomingJournals(directory), {
    role: 'destination',
    isOpen: ({ state }) => !isFinal(state),
    peerOf: ({ peer, owner }) => peer ?? owner,
    imagesOf: (id) => incomingImages(directory, id),
  });
}

interface Side<State, Facts> {
  readonly role: ListedMigration['role'];
  isOpen(entry: Entry<State, Facts>): boolean;
  peerOf(entry: Entry<State, Facts>): string | undefined;
  imagesOf(id: string): string;
}

async function list<
  State extends SourceState | DestinationState,
  Facts extends { readonly pid: number; readonly agent: string },
>(journals: string, side: Side<State, Facts>): Promise<ListedMigration[]> {
  const found: ListedMigration[] = [];
  // One by one, since each takes a descriptor.
  for (const id of await journalsIn(journals)) {
    await using journal = await Journal.find<State, Facts>(journals, id);
    const { entry, since } = journal ?? {};
    if (!entry || since === undefined || !side.isOpen(entry)) continue;
    const { state, pid, agent } = entry;
    const isInFlight = isAgentAlive(agent);
    found.push({
      ...{ id, role: side.role, state, pid, peer: side.peerOf(entry), since: new Date(since) },
      status: isInFlight ? 'in-flight' : 'unresolved',
      bytes: await readByteCount(side.imagesOf(id)),
      agent: isInFlight ? Number(agent?.split(' ')[0]) : undefined,
    });
  }
  return found;
}

/** True until the original has ended, or runs and has its addresses. */
function isOpenOutgoing(entry: Entry<SourceState, OutgoingFacts>): boolean {
  const { state, isSwitchedOver, addresses = [] } = entry;
  const lacksAddresses = state === 'aborted' && isSwitchedOver === true && addresses.length > 0;
  return isOpen(state) || lacksAddresses;
}
