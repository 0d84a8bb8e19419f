// Original file: proto/migration.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AbortRequest as _node_criu_AbortRequest, AbortRequest__Output as _node_criu_AbortRequest__Output } from '../node_criu/AbortRequest.ts';
import type { ImagePart as _node_criu_ImagePart, ImagePart__Output as _node_criu_ImagePart__Output } from '../node_criu/ImagePart.ts';
import type { MigrationRequest as _node_criu_MigrationRequest, MigrationRequest__Output as _node_criu_MigrationRequest__Output } from '../node_criu/MigrationRequest.ts';
import type { OfferReply as _node_criu_OfferReply, OfferReply__Output as _node_criu_OfferReply__Output } from '../node_criu/OfferReply.ts';
import type { OfferRequest as _node_criu_OfferRequest, OfferRequest__Output as _node_criu_OfferRequest__Output } from '../node_criu/OfferRequest.ts';
import type { PrepareRequest as _node_criu_PrepareRequest, PrepareRequest__Output as _node_criu_PrepareRequest__Output } from '../node_criu/PrepareRequest.ts';
import type { RoundRequest as _node_criu_RoundRequest, RoundRequest__Output as _node_criu_RoundRequest__Output } from '../node_criu/RoundRequest.ts';
import type { Standing as _node_criu_Standing, Standing__Output as _node_criu_Standing__Output } from '../node_criu/Standing.ts';

export interface MigrationsClient extends grpc.Client {
  Abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Abort(argument: _node_criu_AbortRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Abort(argument: _node_criu_AbortRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  abort(argument: _node_criu_AbortRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  
  Ask(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Ask(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Ask(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Ask(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  ask(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  ask(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  ask(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  ask(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  
  AwaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  AwaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  AwaitPages(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  AwaitPages(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  awaitPages(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  
  HandOver(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  HandOver(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  HandOver(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  HandOver(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  handOver(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  handOver(argument: _node_criu_MigrationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  handOver(argument: _node_criu_MigrationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  handOver(argument: _node_criu_MigrationRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  
  Offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  Offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  Offer(argument: _node_criu_OfferRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  Offer(argument: _node_criu_OfferRequest, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  offer(argument: _node_criu_OfferRequest, callback: grpc.requestCallback<_node_criu_OfferReply__Output>): grpc.ClientUnaryCall;
  
  Prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Prepare(argument: _node_criu_PrepareRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  Prepare(argument: _node_criu_PrepareRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  prepare(argument: _node_criu_PrepareRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  
  PutImages(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  PutImages(metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  PutImages(options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  PutImages(callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  putImages(callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientWritableStream<_node_criu_ImagePart>;
  
  StartRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  StartRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  StartRound(argument: _node_criu_RoundRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  StartRound(argument: _node_criu_RoundRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  startRound(argument: _node_criu_RoundRequest, callback: grpc.requestCallback<_node_criu_Standing__Output>): grpc.ClientUnaryCall;
  
}

export interface MigrationsHandlers extends grpc.UntypedServiceImplementation {
  Abort: grpc.handleUnaryCall<_node_criu_AbortRequest__Output, _node_criu_Standing>;
  
  Ask: grpc.handleUnaryCall<_node_criu_MigrationRequest__Output, _node_criu_Standing>;
  
  AwaitPages: grpc.handleUnaryCall<_node_criu_MigrationRequest__Output, _node_criu_Standing>;
  
  HandOver: grpc.handleUnaryCall<_node_criu_MigrationRequest__Output, _node_criu_Standing>;
  
  Offer: grpc.handleUnaryCall<_node_criu_OfferRequest__Output, _node_criu_OfferReply>;
  
  Prepare: grpc.handleUnaryCall<_node_criu_PrepareRequest__Output, _node_criu_Standing>;
  
  PutImages: grpc.handleClientStreamingCall<_node_criu_ImagePart__Output, _node_criu_Standing>;
  
  StartRound: grpc.handleUnaryCall<_node_criu_RoundRequest__Output, _node_criu_Standing>;
  
}

export interface MigrationsDefinition extends grpc.ServiceDefinition {
  Abort: MethodDefinition<_node_criu_AbortRequest, _node_criu_Standing, _node_criu_AbortRequest__Output, _node_criu_Standing__Output>
  Ask: MethodDefinition<_node_criu_MigrationRequest, _node_criu_Standing, _node_criu_MigrationRequest__Output, _node_criu_Standing__Output>
  AwaitPages: MethodDefinition<_node_criu_MigrationRequest, _node_criu_Standing, _node_criu_MigrationRequest__Output, _node_criu_Standing__Output>
  HandOver: MethodDefinition<_node_criu_MigrationRequest, _node_criu_Standing, _node_criu_MigrationRequest__Output, _node_criu_Standing__Output>
  Offer: MethodDefinition<_node_criu_OfferRequest, _node_criu_OfferReply, _node_criu_OfferRequest__Output, _node_criu_OfferReply__Output>
  Prepare: MethodDefinition<_node_criu_PrepareRequest, _node_criu_Standing, _node_criu_PrepareRequest__Output, _node_criu_Standing__Output>
  PutImages: MethodDefinition<_node_criu_ImagePart, _node_criu_Standing, _node_criu_ImagePart__Output, _node_criu_Standing__Output>
  StartRound: MethodDefinition<_node_criu_RoundRequest, _node_criu_Standing, _node_criu_RoundRequest__Output, _node_criu_Standing__Output>
}
