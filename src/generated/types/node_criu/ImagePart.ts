// Original file: proto/migration.proto

import type { RoundRequest as _node_criu_RoundRequest, RoundRequest__Output as _node_criu_RoundRequest__Output } from '../node_criu/RoundRequest.ts';
import type { Images as _node_criu_Images, Images__Output as _node_criu_Images__Output } from '../node_criu/Images.ts';

export interface ImagePart {
  'round'?: (_node_criu_RoundRequest | null);
  'name'?: (string);
  'data'?: (Buffer | Uint8Array | string);
  'sha256'?: (Buffer | Uint8Array | string);
  'whole'?: (_node_criu_Images | null);
  'part'?: "round"|"name"|"data"|"sha256"|"whole";
}

export interface ImagePart__Output {
  'round'?: (_node_criu_RoundRequest__Output | null);
  'name'?: (string);
  'data'?: (Buffer);
  'sha256'?: (Buffer);
  'whole'?: (_node_criu_Images__Output | null);
  'part'?: "round"|"name"|"data"|"sha256"|"whole";
}
