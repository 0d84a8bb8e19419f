// Original file: proto/rpc.proto

import type { criu_req_type as _criu_req_type, criu_req_type__Output as _criu_req_type__Output } from './criu_req_type.ts';
import type { criu_dump_resp as _criu_dump_resp, criu_dump_resp__Output as _criu_dump_resp__Output } from './criu_dump_resp.ts';
import type { criu_restore_resp as _criu_restore_resp, criu_restore_resp__Output as _criu_restore_resp__Output } from './criu_restore_resp.ts';
import type { criu_notify as _criu_notify, criu_notify__Output as _criu_notify__Output } from './criu_notify.ts';
import type { criu_page_server_info as _criu_page_server_info, criu_page_server_info__Output as _criu_page_server_info__Output } from './criu_page_server_info.ts';
import type { criu_features as _criu_features, criu_features__Output as _criu_features__Output } from './criu_features.ts';
import type { criu_version as _criu_version, criu_version__Output as _criu_version__Output } from './criu_version.ts';

export interface criu_resp {
  'type': (_criu_req_type);
  'success': (boolean);
  'dump'?: (_criu_dump_resp | null);
  'restore'?: (_criu_restore_resp | null);
  'notify'?: (_criu_notify | null);
  'ps'?: (_criu_page_server_info | null);
  'cr_errno'?: (number);
  'features'?: (_criu_features | null);
  'cr_errmsg'?: (string);
  'version'?: (_criu_version | null);
  'status'?: (number);
}

export interface criu_resp__Output {
  'type': (_criu_req_type__Output);
  'success': (boolean);
  'dump'?: (_criu_dump_resp__Output);
  'restore'?: (_criu_restore_resp__Output);
  'notify'?: (_criu_notify__Output);
  'ps'?: (_criu_page_server_info__Output);
  'cr_errno'?: (number);
  'features'?: (_criu_features__Output);
  'cr_errmsg'?: (string);
  'version'?: (_criu_version__Output);
  'status'?: (number);
}
