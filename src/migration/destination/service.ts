import type { ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { MigrationStatus } from '../../generated/types/node_criu/MigrationStatus.ts';
import type { MigrationsHandlers } from '../../generated/types/node_criu/Migrations.ts';
import type { OfferReply } from '../../generated/types/node_criu/OfferReply.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import { isMigrationId } from '../journal/journal.ts';
import { peerText } from '../protocol/peer-text.ts';
import type { PendingConnections } from '../protocol/pending-connections.ts';
import { commonProtocol } from '../protocol/service.ts';
import { type CopyStatus, toWireStatus } from '../protocol/status.ts';
import type { Incoming, Preparation } from './incoming.ts';
import type { OfferReceiver } from './offer-receiver.ts';
import { acknowledgeIncoming, recoverIncoming } from './recover.ts';
import type { MigrationRegistry } from './registry.ts';
import type { MigrationPeer } from './serve-options.ts';
import type { ServerContext } from './server-context.ts';

/** gRPC's FAILED_PRECONDITION, the status of every error that a destination itself reports. */
const FAILED_PRECONDITION = 9;

/** The parts of a call that identify the caller. */
type Caller = Pick<ServerUnaryCall<unknown, unknown>, 'getPeer' | 'getAuthContext'>;

/** The remote procedures of a migration server. */
export class MigrationService {
  readonly #context: ServerContext;
  readonly #offers: OfferReceiver;
  readonly #registry: MigrationRegistry;
  readonly #pending: PendingConnections;

  /** @param pending the connections on which no call has been made */
  constructor(
    context: ServerContext,
    offers: OfferReceiver,
    registry: MigrationRegistry,
    pending: PendingConnections,
  ) {
    this.#pending = pending;
    this.#context = context;
    this.#offers = offers;
    this.#registry = registry;
  }

  /** The handlers as gRPC calls them. */
  get handlers(): MigrationsHandlers {
    // The source acts on the answers to the calls marked with endsWait.
    const endsWait = true;
    return {
      offer: this.#replyWith((call: ServerUnaryCall<OfferRequest__Output, OfferReply>) =>
        this.#offers.receive(call.request, peerOf(call), withdrawalOf(call)),
      ),
      startRound: this.#statusCall<{ id: string; index: number }>((incoming, { index }) =>
        incoming.startRound(index),
      ),
      putImages: this.#replyWith((call: ServerReadableStream<ImagePart__Output, MigrationStatus>) =>
        this.#putImages(call),
      ),
      prepare: this.#statusCall<{ id: string } & Preparation>((incoming, request) =>
        incoming.prepare(request),
      ),
      commit: this.#statusCall((incoming) => incoming.commit(), endsWait),
      awaitPages: this.#statusCall((incoming) => incoming.awaitPages(), endsWait),
      abort: this.#statusCall<{ id: string; reason: string }>(
        (incoming, { reason }) => incoming.abort(reason),
        endsWait,
      ),
      getStatus: this.#statusCall((incoming) => incoming.status),
      acknowledge: this.#replyWith((call: ServerUnaryCall<{ id: string }, MigrationStatus>) =>
        this.#acknowledge(call.request.id, peerOf(call)),
      ),
    } as unknown as MigrationsHandlers;
  }

  #statusCall<Request extends { id: string; protocol?: number }>(
    act: (incoming: Incoming, request: Request) => CopyStatus | Promise<CopyStatus>,
    endsWait = false,
  ) {
    return this.#replyWith(async (call: ServerUnaryCall<Request, MigrationStatus>) => {
      const { id, protocol } = call.request;
      requireProtocol(protocol);
      const peer = peerOf(call);
      const incoming = this.#registry.find(id, peer);
      if (!incoming) return toWireStatus(await this.#recover(id, peer));
      incoming.heardSource();
      const status = await act(incoming, call.request);
      if (endsWait && !call.cancelled) incoming.onAnswerDelivered();
      return toWireStatus(status);
    });
  }

  #replyWith<Call extends Caller, Reply>(answer: (call: Call) => Promise<Reply>) {
    return (call: Call, callback: sendUnaryData<Reply>) => {
      this.#pending.release(call.getPeer());
      answer(call).then(
        (reply) => callback(null, reply),
        ({ message }: Error) => callback({ code: FAILED_PRECONDITION, details: message }),
      );
    };
  }

  async #putImages(
    call: ServerReadableStream<ImagePart__Output, MigrationStatus>,
  ): Promise<MigrationStatus> {
    const parts = call[Symbol.asyncIterator]() as AsyncIterator<ImagePart__Output>;
    const { value: first } = await parts.next();
    const { id = '', index = 0 } = first?.round ?? {};
    const incoming = this.#registry.find(id, peerOf(call));
    if (!incoming) throw new Error('there is no such migration');
    return toWireStatus(await incoming.receiveImages(index, call, parts));
  }

  async #acknowledge(id: string, peer: MigrationPeer): Promise<MigrationStatus> {
    if (!isMigrationId(id)) throw new Error('there is no such migration');
    return toWireStatus(await acknowledgeIncoming(this.#context.directory, id, peer));
  }

  /** The migration may belong to an earlier server in the same directory. */
  async #recover(id: string, peer: MigrationPeer): Promise<CopyStatus> {
    if (!isMigrationId(id)) throw new Error('there is no such migration');
    const { directory, hooks, stallMs } = this.#context;
    return await recoverIncoming(directory, id, hooks, { stallMs, peer });
  }
}

function peerOf(call: Caller): MigrationPeer {
  const certificate = call.getAuthContext()?.sslPeerCertificate;
  const name = certificate?.subject?.CN;
  return {
    address: call.getPeer(),
    fingerprint: certificate?.fingerprint256,
    name: name === undefined ? undefined : peerText(String(name)),
  };
}

/** @throws Error for a version of the protocol that this host does not speak */
function requireProtocol(protocol = 0): void {
  if (commonProtocol(protocol || 1, protocol || 1) !== undefined) return;
  throw new Error(
    `the source speaks version ${protocol} of the protocol, which this host does not: use the same version of node-criu on both hosts`,
  );
}

/** Aborted when the caller cancels a call, or its connection ends. */
function withdrawalOf(call: ServerUnaryCall<unknown, unknown>): AbortSignal {
  const withdrawal = new AbortController();
  const reason = new Error('the source has withdrawn its offer');
  call.on('cancelled', () => withdrawal.abort(reason));
  if (call.cancelled) withdrawal.abort(reason);
  return withdrawal.signal;
}
