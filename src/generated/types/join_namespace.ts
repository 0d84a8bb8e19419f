// Original file: proto/rpc.proto


export interface join_namespace {
  'ns': (string);
  'ns_file': (string);
  'extra_opt'?: (string);
}

export interface join_namespace__Output {
  'ns': (string);
  'ns_file': (string);
  'extra_opt'?: (string);
}
