import type { ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { MigrationsHandlers } from '../../generated/types/node_criu/Migrations.ts';
import type { OfferReply } from '../../generated/types/node_criu/OfferReply.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import type { How } from '../journal/incoming-journal.ts';
import type { Incoming } from './incoming.ts';
import type { MigrationPeer } from './serve-options.ts';

/** A call about a migration. */
export type CallAbout<Request = { id: string }> = ServerUnaryCall<Request, How>;
/** What a migration has to say to a request. */
export type Answer<Request> = (incoming: Incoming, request: Request) => How | Promise<How>;

/** Who answers. */
export interface Answering {
  offer(call: ServerUnaryCall<OfferRequest__Output, OfferReply>): Promise<OfferReply>;
  putImages(call: ServerReadableStream<ImagePart__Output, How>): Promise<How>;
  /** @param isDecisive the source acts upon what it hears */
  about<Request extends { id: string }>(
    call: CallAbout<Request>,
    answer: Answer<Request>,
    isDecisive: boolean,
  ): Promise<How>;
}

/** The service, as gRPC calls it. */
export function handlersOf(host: Answering): MigrationsHandlers {
  const about = <Request extends { id: string }>(answer: Answer<Request>) =>
    answered((call: CallAbout<Request>) => host.about(call, answer, false));
  const decisive = <Request extends { id: string }>(answer: Answer<Request>) =>
    answered((call: CallAbout<Request>) => host.about(call, answer, true));
  return {
    offer: answered(host.offer),
    startRound: about<{ id: string; index: number }>((one, { index }) => one.startRound(index)),
    putImages: answered(host.putImages),
    prepare: about<{ id: string; index: number; lazy: boolean }>((one, { index, lazy }) =>
      one.prepare(index, lazy),
    ),
    handOver: decisive((one) => one.handOver()),
    awaitPages: decisive((one) => one.awaitPages()),
    abort: decisive<{ id: string; reason: string }>((one, { reason }) => one.abort(reason)),
    ask: about((one) => one.how),
  } as unknown as MigrationsHandlers;
}

/** Who calls, by certificate. */
export function peerOf(
  call: Pick<ServerUnaryCall<unknown, unknown>, 'getPeer' | 'getAuthContext'>,
): MigrationPeer {
  const certificate = call.getAuthContext()?.sslPeerCertificate;
  return {
    address: call.getPeer(),
    fingerprint: certificate?.fingerprint256 ?? '',
    name: String(certificate?.subject?.CN ?? ''),
  };
}

function answered<Call, Reply>(answer: (call: Call) => Promise<Reply>) {
  return (call: Call, reply: sendUnaryData<Reply>) => {
    answer(call).then(
      (answer) => reply(null, answer),
      (error) => reply(asStatus(error)),
    );
  };
}

/** gRPC's FAILED_PRECONDITION, with our words. */
function asStatus(error: Error): { code: number; details: string } {
  return { code: 9, details: error.message };
}
