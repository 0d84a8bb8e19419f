// Original file: proto/rpc.proto

import type { criu_req_type as _criu_req_type, criu_req_type__Output as _criu_req_type__Output } from './criu_req_type.ts';
import type { criu_opts as _criu_opts, criu_opts__Output as _criu_opts__Output } from './criu_opts.ts';
import type { criu_features as _criu_features, criu_features__Output as _criu_features__Output } from './criu_features.ts';

export interface criu_req {
  'type': (_criu_req_type);
  'opts'?: (_criu_opts | null);
  'notify_success'?: (boolean);
  'keep_open'?: (boolean);
  'features'?: (_criu_features | null);
  'pid'?: (number);
}

export interface criu_req__Output {
  'type': (_criu_req_type__Output);
  'opts'?: (_criu_opts__Output);
  'notify_success'?: (boolean);
  'keep_open'?: (boolean);
  'features'?: (_criu_features__Output);
  'pid'?: (number);
}
