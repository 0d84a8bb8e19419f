// Original file: proto/migration.proto

import type { State as _node_criu_State, State__Output as _node_criu_State__Output } from '../node_criu/State.ts';

export interface MigrationStatus {
  'state'?: (_node_criu_State);
  'pid'?: (number);
  'message'?: (string);
  'pages'?: (number);
  '_pid'?: "pid";
  '_message'?: "message";
  '_pages'?: "pages";
}

export interface MigrationStatus__Output {
  'state': (_node_criu_State__Output);
  'pid'?: (number);
  'message'?: (string);
  'pages'?: (number);
  '_pid'?: "pid";
  '_message'?: "message";
  '_pages'?: "pages";
}
