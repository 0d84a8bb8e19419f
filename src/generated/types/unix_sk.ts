// Original file: proto/rpc.proto


export interface unix_sk {
  'inode': (number);
}

export interface unix_sk__Output {
  'inode': (number);
}
