// Original file: proto/migration.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AbortRequest as _node_criu_AbortRequest, AbortRequest__Output as _node_criu_AbortRequest__Output } from '../node_criu/AbortRequest.ts';
import type { ImagePart as _node_criu_ImagePart, ImagePart__Output as _node_criu_ImagePart__Output } from '../node_criu/ImagePart.ts';
import type { MigrationRequest as _node_criu_MigrationRequest, MigrationRequest__Output as _node_criu_MigrationRequest__Output } from '../node_criu/MigrationRequest.ts';
import type { MigrationStatus as _node_criu_MigrationStatus, MigrationStatus__Output as _node_criu_MigrationStatus__Output } from '../node_criu/MigrationStatus.ts';
import type { OfferReply as _node_criu_OfferReply, OfferReply__Output as _node_criu_OfferReply__Output } from '../node_criu/OfferReply.ts';
import type { OfferRequest as _node_criu_OfferRequest, OfferRequest__Output as _node_criu_OfferRequest__Output } from '../node_criu/OfferRequest.ts';
import type { PrepareRequest as _node_criu_PrepareRequest, PrepareRequest__Output as _node_criu_PrepareRequest__Output } from '../node_criu/PrepareRequest.ts';
import type { RoundRequest as _node_criu_RoundRequest, RoundRequest__Output as _node_criu_RoundRequest__Output } from '../node_criu/RoundRequest.ts';

export interface MigrationsClient extends grpc.Client {
  Abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Abort(argument: _node_criu_AbortRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Abort(argument: _node_criu_AbortRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  
  Acknowledge(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Acknowledge(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Acknowledge(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Acknowledge(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  acknowledge(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  acknowledge(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  acknowledge(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  acknowledge(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  
  AwaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  AwaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  AwaitPages(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  AwaitPages(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  
  Commit(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Commit(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Commit(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Commit(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  commit(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  commit(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  commit(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  commit(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  
  GetStatus(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  
  Offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  Offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  Offer(argument: _node_criu_OfferRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  Offer(argument: _node_criu_OfferRequest, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  
  Prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Prepare(argument: _node_criu_PrepareRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  Prepare(argument: _node_criu_PrepareRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  
  PutImages(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  PutImages(metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  PutImages(options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  PutImages(callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  
  StartRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  StartRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  StartRound(argument: _node_criu_RoundRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  StartRound(argument: _node_criu_RoundRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, callback: grpc.requestCallback<_node_criu_MigrationStatus__Output>): grpc.ClientUnaryCall;
  
}

export interface MigrationsHandlers extends grpc.UntypedServiceImplementation {
  Abort: grpc.handleUnaryCall<_node_criu_AbortRequest__Output, _node_criu_MigrationStatus>;
  
  Acknowledge: grpc.handleUnaryCall<_node_criu_MigrationRequest__Output, _node_criu_MigrationStatus>;
  
  AwaitPages: grpc.handleUnaryCall<_node_criu_MigrationRequest__Output, _node_criu_MigrationStatus>;
  
  Commit: grpc.handleUnaryCall<_node_criu_MigrationRequest__Output, _node_criu_MigrationStatus>;
  
  GetStatus: grpc.handleUnaryCall<_node_criu_MigrationRequest__Output, _node_criu_MigrationStatus>;
  
  Offer: grpc.handleUnaryCall<_node_criu_OfferRequest__Output, _node_criu_OfferReply>;
  
  Prepare: grpc.handleUnaryCall<_node_criu_PrepareRequest__Output, _node_criu_MigrationStatus>;
  
  PutImages: grpc.handleClientStreamingCall<_node_criu_ImagePart__Output, _node_criu_MigrationStatus>;
  
  StartRound: grpc.handleUnaryCall<_node_criu_RoundRequest__Output, _node_criu_MigrationStatus>;
  
}

export interface MigrationsDefinition extends grpc.ServiceDefinition {
  Abort: MethodDefinition<_node_criu_AbortRequest, _node_criu_MigrationStatus, _node_criu_AbortRequest__Output, _node_criu_MigrationStatus__Output>
  Acknowledge: MethodDefinition<_node_criu_MigrationRequest, _node_criu_MigrationStatus, _node_criu_MigrationRequest__Output, _node_criu_MigrationStatus__Output>
  AwaitPages: MethodDefinition<_node_criu_MigrationRequest, _node_criu_MigrationStatus, _node_criu_MigrationRequest__Output, _node_criu_MigrationStatus__Output>
  Commit: MethodDefinition<_node_criu_MigrationRequest, _node_criu_MigrationStatus, _node_criu_MigrationRequest__Output, _node_criu_MigrationStatus__Output>
  GetStatus: MethodDefinition<_node_criu_MigrationRequest, _node_criu_MigrationStatus, _node_criu_MigrationRequest__Output, _node_criu_MigrationStatus__Output>
  Offer: MethodDefinition<_node_criu_OfferRequest, _node_criu_OfferReply, _node_criu_OfferRequest__Output, _node_criu_OfferReply__Output>
  Prepare: MethodDefinition<_node_criu_PrepareRequest, _node_criu_MigrationStatus, _node_criu_PrepareRequest__Output, _node_criu_MigrationStatus__Output>
  PutImages: MethodDefinition<_node_criu_ImagePart, _node_criu_MigrationStatus, _node_criu_ImagePart__Output, _node_criu_MigrationStatus__Output>
  StartRound: MethodDefinition<_node_criu_RoundRequest, _node_criu_MigrationStatus, _node_criu_RoundRequest__Output, _node_criu_MigrationStatus__Output>
}
