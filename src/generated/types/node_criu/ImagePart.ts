// Original file: proto/migration.proto

import type { RoundRequest as _node_criu_RoundRequest, RoundRequest__Output as _node_criu_RoundRequest__Output } from '../node_criu/RoundRequest.ts';

export interface ImagePart {
  'round'?: (_node_criu_RoundRequest | null);
  'name'?: (string);
  'data'?: (Buffer | Uint8Array | string);
  'sha256'?: (Buffer | Uint8Array | string);
  'part'?: "round"|"name"|"data"|"sha256";
}

export interface ImagePart__Output {
  'round'?: (_node_criu_RoundRequest__Output | null);
  'name'?: (string);
  'data'?: (Buffer);
  'sha256'?: (Buffer);
  'part'?: "round"|"name"|"data"|"sha256";
}
