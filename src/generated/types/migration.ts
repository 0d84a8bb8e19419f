import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AbortRequest as _node_criu_AbortRequest, AbortRequest__Output as _node_criu_AbortRequest__Output } from './node_criu/AbortRequest.ts';
import type { HostFacts as _node_criu_HostFacts, HostFacts__Output as _node_criu_HostFacts__Output } from './node_criu/HostFacts.ts';
import type { Image as _node_criu_Image, Image__Output as _node_criu_Image__Output } from './node_criu/Image.ts';
import type { ImagePart as _node_criu_ImagePart, ImagePart__Output as _node_criu_ImagePart__Output } from './node_criu/ImagePart.ts';
import type { Images as _node_criu_Images, Images__Output as _node_criu_Images__Output } from './node_criu/Images.ts';
import type { MigrationRequest as _node_criu_MigrationRequest, MigrationRequest__Output as _node_criu_MigrationRequest__Output } from './node_criu/MigrationRequest.ts';
import type { MigrationStatus as _node_criu_MigrationStatus, MigrationStatus__Output as _node_criu_MigrationStatus__Output } from './node_criu/MigrationStatus.ts';
import type { MigrationsClient as _node_criu_MigrationsClient, MigrationsDefinition as _node_criu_MigrationsDefinition } from './node_criu/Migrations.ts';
import type { Objection as _node_criu_Objection, Objection__Output as _node_criu_Objection__Output } from './node_criu/Objection.ts';
import type { OfferReply as _node_criu_OfferReply, OfferReply__Output as _node_criu_OfferReply__Output } from './node_criu/OfferReply.ts';
import type { OfferRequest as _node_criu_OfferRequest, OfferRequest__Output as _node_criu_OfferRequest__Output } from './node_criu/OfferRequest.ts';
import type { PrepareRequest as _node_criu_PrepareRequest, PrepareRequest__Output as _node_criu_PrepareRequest__Output } from './node_criu/PrepareRequest.ts';
import type { RoundRequest as _node_criu_RoundRequest, RoundRequest__Output as _node_criu_RoundRequest__Output } from './node_criu/RoundRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  node_criu: {
    AbortRequest: MessageTypeDefinition<_node_criu_AbortRequest, _node_criu_AbortRequest__Output>
    HostFacts: MessageTypeDefinition<_node_criu_HostFacts, _node_criu_HostFacts__Output>
    Image: MessageTypeDefinition<_node_criu_Image, _node_criu_Image__Output>
    ImagePart: MessageTypeDefinition<_node_criu_ImagePart, _node_criu_ImagePart__Output>
    Images: MessageTypeDefinition<_node_criu_Images, _node_criu_Images__Output>
    MigrationRequest: MessageTypeDefinition<_node_criu_MigrationRequest, _node_criu_MigrationRequest__Output>
    MigrationStatus: MessageTypeDefinition<_node_criu_MigrationStatus, _node_criu_MigrationStatus__Output>
    Migrations: SubtypeConstructor<typeof grpc.Client, _node_criu_MigrationsClient> & { service: _node_criu_MigrationsDefinition }
    Mode: EnumTypeDefinition
    Objection: MessageTypeDefinition<_node_criu_Objection, _node_criu_Objection__Output>
    OfferReply: MessageTypeDefinition<_node_criu_OfferReply, _node_criu_OfferReply__Output>
    OfferRequest: MessageTypeDefinition<_node_criu_OfferRequest, _node_criu_OfferRequest__Output>
    PrepareRequest: MessageTypeDefinition<_node_criu_PrepareRequest, _node_criu_PrepareRequest__Output>
    Refusal: EnumTypeDefinition
    RoundRequest: MessageTypeDefinition<_node_criu_RoundRequest, _node_criu_RoundRequest__Output>
    State: EnumTypeDefinition
  }
}

