// Original file: proto/rpc.proto


export interface ext_mount_map {
  'key': (string);
  'val': (string);
}

export interface ext_mount_map__Output {
  'key': (string);
  'val': (string);
}
