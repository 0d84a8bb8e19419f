// Original file: proto/migration.proto

import type { State as _node_criu_State, State__Output as _node_criu_State__Output } from '../node_criu/State.ts';
import type { Refusal as _node_criu_Refusal, Refusal__Output as _node_criu_Refusal__Output } from '../node_criu/Refusal.ts';

export interface MigrationStatus {
  'state'?: (_node_criu_State);
  'pid'?: (number);
  'message'?: (string);
  'pages'?: (number);
  'code'?: (_node_criu_Refusal);
  '_pid'?: "pid";
  '_message'?: "message";
  '_pages'?: "pages";
  '_code'?: "code";
}

export interface MigrationStatus__Output {
  'state': (_node_criu_State__Output);
  'pid'?: (number);
  'message'?: (string);
  'pages'?: (number);
  'code'?: (_node_criu_Refusal__Output);
  '_pid'?: "pid";
  '_message'?: "message";
  '_pages'?: "pages";
  '_code'?: "code";
}
