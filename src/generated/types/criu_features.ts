// Original file: proto/rpc.proto


export interface criu_features {
  'mem_track'?: (boolean);
  'lazy_pages'?: (boolean);
  'pidfd_store'?: (boolean);
  'mem_compression'?: (boolean);
}

export interface criu_features__Output {
  'mem_track'?: (boolean);
  'lazy_pages'?: (boolean);
  'pidfd_store'?: (boolean);
  'mem_compression'?: (boolean);
}
