import { CriuError } from '../../errors.ts';
import type { Objection, Objection__Output } from '../../generated/types/node_criu/Objection.ts';
import type { OfferReply } from '../../generated/types/node_criu/OfferReply.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import type { CriuOpts } from '../../options/types.ts';
import { isMigrationId } from '../journal/journal.ts';
import { readHostFacts } from '../protocol/host-facts.ts';
import { decodeMetadata } from '../protocol/metadata.ts';
import { fromWireMode } from '../protocol/modes.ts';
import { checkOfferedOptions } from '../protocol/offered-options.ts';
import { peerText } from '../protocol/peer-text.ts';
import { type RefusalCode, refusalOf, toWireRefusal } from '../protocol/refusals.ts';
import { commonProtocol, OLDEST_PROTOCOL, PROTOCOL } from '../protocol/service.ts';
import { admitAddresses, refuseTaken } from './addresses/address-admission.ts';
import { checkAdmission, checkSpace, type Objector } from './admission.ts';
import { Incoming } from './incoming.ts';
import type { MigrationRegistry } from './registry.ts';
import {
  checkRestoreOptions,
  type MigrationOffer,
  type MigrationPeer,
  type MigrationRestoreOptions,
  type ServeMigrationsOptions,
} from './serve-options.ts';
import type { ReceivedOffer, ServerContext } from './server-context.ts';
import { Slots } from './slots.ts';

const SAME_VERSION = 'Use the same version of node-criu on both hosts.';
/** More threads than a host runs; an offer lists them all. */
const MAX_PIDS = 100_000;
/** The kernel's names of processes have at most 15 bytes. */
const MAX_PROGRAM = 64;
const MAX_ADDRESS = 64;
const MAX_ID = 64;
const TRY_LATER = 'Try again later, or choose another host.';
const ASK_OPERATOR = 'Ask the operator of the destination.';
const SHUTTING_DOWN = [
  'This host is shutting down.',
  'Choose another host, or try again later.',
  'closing',
] as const;

type OfferOptions = Pick<
  ServeMigrationsOptions,
  'authorize' | 'restore' | 'allowAddresses' | 'hooks' | 'maxMigrations'
>;

/** How many offers were accepted, and how many refused for which reason; `other` has no code. */
export type OfferTally = Readonly<Record<'accepted' | RefusalCode | 'other', number>>;

/** Accepts or refuses offers. */
export class OfferReceiver {
  readonly #context: ServerContext;
  readonly #options: OfferOptions;
  readonly #defaults: Readonly<CriuOpts>;
  readonly #registry: MigrationRegistry;
  readonly #slots: Slots;
  readonly #admissions = new Set<Promise<unknown>>();
  readonly #tally: Record<keyof OfferTally, number> = {
    ...{ accepted: 0, busy: 0, closing: 0, 'no-space': 0, 'pids-in-use': 0, 'not-authorized': 0 },
    ...{ incompatible: 0, version: 0, invalid: 0, 'over-limit': 0, other: 0 },
  };
  #isClosed = false;

  /** @param defaults default options of the restores */
  constructor(
    context: ServerContext,
    options: OfferOptions,
    defaults: Readonly<CriuOpts>,
    registry: MigrationRegistry,
  ) {
    this.#context = context;
    this.#options = options;
    this.#defaults = defaults;
    this.#registry = registry;
    this.#slots = new Slots(registry, options.maxMigrations);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get tally(): OfferTally {
    return this.#tally;
  }

  /** @param signal aborted when the source has withdrawn its offer, or is gone */
  async receive(
    request: OfferRequest__Output,
    peer: MigrationPeer,
    signal: AbortSignal,
  ): Promise<OfferReply> {
    const reply = await this.#receive(request, peer, signal);
    const objections = (reply.objections ?? []) as Objection__Output[];
    const refusal = refusalOf(objections);
    this.#tally[objections.length === 0 ? 'accepted' : (refusal ?? 'other')]++;
    if (objections.length === 0) return reply;
    const message = objections.map((objection) => objection.message).join(' ');
    const id = peerText(request.id, MAX_ID);
    // An async function, so that no error of the hook gets out.
    (async () => this.#context.hooks.refused?.({ id, peer, refusal, message }))().catch(() => {});
    return reply;
  }

  async #receive(
    request: OfferRequest__Output,
    peer: MigrationPeer,
    signal: AbortSignal,
  ): Promise<OfferReply> {
    const { objections, object } = collectObjections();
    if (this.#isClosed) object(...SHUTTING_DOWN);
    const offer = checkOffer(request, object);
    if (!offer || objections.length > 0) return { objections };
    await this.#authorize(offer, peer, object);
    if (objections.length > 0) return { objections };
    const restore = await this.#restoreOptions(offer, peer, object);
    if (!restore) return { objections };
    const admission = this.#admit({ request, offer, peer, restore }, signal);
    this.#admissions.add(admission);
    return await admission.finally(() => this.#admissions.delete(admission));
  }

  /** Refuses all offers that are not admitted yet; resolves once no admission is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#admissions);
  }

  async #admit(received: ReceivedOffer, signal: AbortSignal): Promise<OfferReply> {
    const { objections, object } = collectObjections();
    signal.throwIfAborted();
    if (this.#isClosed) {
      object(...SHUTTING_DOWN);
      return { objections };
    }
    using slot = this.#slots.take(received.peer, object);
    if (!slot) return { objections };
    const { operations, directory, pageListener, traffic } = this.#context;
    const facts = await readHostFacts(operations, directory);
    await checkAdmission({ operations, facts, signal }, received, object);
    const addresses = await admitAddresses(this.#options, received, object);
    // Nothing is awaited between this check and the reservation: two offers would get the same space.
    const space = { directory, facts, open: this.#slots.users, maxStored: traffic.maxStored };
    checkSpace(space, received.offer, object);
    refuseTaken(addresses, this.#slots.users, object);
    if (this.#isClosed) object(...SHUTTING_DOWN);
    if (objections.length > 0) return { objections, host: facts };
    slot.reserve({ ...received.offer, state: 'receiving' });
    const { lazyPages } = facts;
    const incoming = await Incoming.begin(this.#context, { ...received, addresses, lazyPages });
    this.#registry.add(incoming);
    if (signal.aborted) {
      await incoming.abort('the source has withdrawn its offer');
      signal.throwIfAborted();
    }
    const protocol = agreedProtocol(received.request);
    const reply = { objections, host: facts, pagePort: pageListener.port, ...incoming.tokens };
    return { ...reply, ...(protocol !== undefined && { protocol }) };
  }

  async #authorize(offer: MigrationOffer, peer: MigrationPeer, object: Objector): Promise<void> {
    const { authorize = () => true } = this.#options;
    try {
      const answer: unknown = await authorize(offer, peer);
      if (answer !== true)
        object('This host does not accept the migration.', ASK_OPERATOR, 'not-authorized');
    } catch (error) {
      const text = `This host does not accept the migration: authorize threw: ${textOf(error)}.`;
      if (error instanceof CriuError && error.refusal === 'busy') object(text, TRY_LATER, 'busy');
      else object(text, ASK_OPERATOR, 'not-authorized');
    }
  }

  async #restoreOptions(
    offer: MigrationOffer,
    peer: MigrationPeer,
    object: Objector,
  ): Promise<MigrationRestoreOptions | undefined> {
    const { restore = {} } = this.#options;
    try {
      const options = typeof restore === 'function' ? await restore(offer, peer) : restore;
      return checkRestoreOptions(options, this.#defaults);
    } catch (error) {
      object(`This host cannot restore the migration: ${textOf(error)}.`, ASK_OPERATOR);
      return undefined;
    }
  }
}

/** The offer, or undefined after an objection to its fields. */
function checkOffer(request: OfferRequest__Output, object: Objector): MigrationOffer | undefined {
  const { id, protocol, oldestProtocol, program, memory, pids } = request;
  const mode = fromWireMode(request.mode);
  if (agreedProtocol(request) === undefined) {
    object(
      `The source speaks ${versions(oldestProtocol || protocol, protocol)} of the protocol, this host ${versions(OLDEST_PROTOCOL, PROTOCOL)}.`,
      SAME_VERSION,
      'version',
    );
  }
  if (!isMigrationId(id))
    object('Its id is not the id of a migration.', 'Use migrate().', 'invalid');
  if (mode === undefined) object('This host does not know its mode.', SAME_VERSION, 'version');
  checkOfferedOptions(request, (message) => object(message, SAME_VERSION, 'invalid'));
  // Before each pid is looked up, which would take the event loop a second for a million of them.
  if (pids.length > MAX_PIDS) {
    object(
      `It has ${pids.length} processes and threads, and this host takes at most ${MAX_PIDS}.`,
      'Start the workload in its own pid namespace.',
    );
  } else if (!pids.every((pid) => pid > 0 && pid <= 0x7fffffff)) {
    object('Its pids are not the ids of processes.', 'Use migrate().', 'invalid');
  }
  const addresses = request.addresses.map((address) => peerText(address, MAX_ADDRESS));
  const shown = { program: peerText(program, MAX_PROGRAM), addresses };
  const metadata = checkMetadata(request, object);
  return mode && { id, ...shown, mode, memoryBytes: memory, pids, metadata };
}

function checkMetadata({ metadata }: OfferRequest__Output, object: Objector): unknown {
  if (metadata === undefined) return undefined;
  try {
    return decodeMetadata(metadata);
  } catch (error) {
    object(`Its metadata is wrong: ${textOf(error)}.`, 'Use migrate().', 'invalid');
    return undefined;
  }
}

/** The version that both hosts speak. A source that names no oldest version speaks only one. */
function agreedProtocol({ protocol, oldestProtocol }: OfferRequest__Output): number | undefined {
  return commonProtocol(protocol, oldestProtocol || protocol);
}

function versions(oldest: number, newest: number): string {
  return oldest === newest ? `version ${newest}` : `versions ${oldest} to ${newest}`;
}

/** The objections to an offer, and a function that adds one. */
function collectObjections(): { objections: Objection[]; object: Objector } {
  const objections: Objection[] = [];
  const object: Objector = (message, remedy, code = 'incompatible') =>
    objections.push({ message, remedy, code: toWireRefusal(code) });
  return { objections, object };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
