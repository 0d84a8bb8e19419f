// Original file: proto/migration.proto

import type { Refusal as _node_criu_Refusal, Refusal__Output as _node_criu_Refusal__Output } from '../node_criu/Refusal.ts';

export interface Objection {
  'message'?: (string);
  'remedy'?: (string);
  'code'?: (_node_criu_Refusal);
}

export interface Objection__Output {
  'message': (string);
  'remedy': (string);
  'code': (_node_criu_Refusal__Output);
}
