// Original file: proto/rpc.proto


export interface criu_veth_pair {
  'if_in': (string);
  'if_out': (string);
}

export interface criu_veth_pair__Output {
  'if_in': (string);
  'if_out': (string);
}
