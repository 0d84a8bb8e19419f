// Original file: proto/rpc.proto


export interface criu_dump_resp {
  'restored'?: (boolean);
}

export interface criu_dump_resp__Output {
  'restored'?: (boolean);
}
