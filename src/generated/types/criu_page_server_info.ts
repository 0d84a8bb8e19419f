// Original file: proto/rpc.proto


export interface criu_page_server_info {
  'address'?: (string);
  'port'?: (number);
  'pid'?: (number);
  'fd'?: (number);
}

export interface criu_page_server_info__Output {
  'address'?: (string);
  'port'?: (number);
  'pid'?: (number);
  'fd'?: (number);
}
