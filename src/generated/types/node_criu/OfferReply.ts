// Original file: proto/migration.proto

import type { Objection as _node_criu_Objection, Objection__Output as _node_criu_Objection__Output } from '../node_criu/Objection.ts';
import type { HostFacts as _node_criu_HostFacts, HostFacts__Output as _node_criu_HostFacts__Output } from '../node_criu/HostFacts.ts';

export interface OfferReply {
  'objections'?: (_node_criu_Objection)[];
  'host'?: (_node_criu_HostFacts | null);
  'pagePort'?: (number);
  'roundToken'?: (Buffer | Uint8Array | string);
  'lazyToken'?: (Buffer | Uint8Array | string);
  'protocol'?: (number);
}

export interface OfferReply__Output {
  'objections': (_node_criu_Objection__Output)[];
  'host': (_node_criu_HostFacts__Output | null);
  'pagePort': (number);
  'roundToken': (Buffer);
  'lazyToken': (Buffer);
  'protocol': (number);
}
