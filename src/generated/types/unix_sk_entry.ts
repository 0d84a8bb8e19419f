// Original file: proto/images.proto


export interface unix_sk_entry {
  'ino': (number);
  'type': (number);
  'uflags': (number);
  'peer': (number);
  'name': (Buffer | Uint8Array | string);
  'deleted'?: (boolean);
  'ns_id'?: (number);
}

export interface unix_sk_entry__Output {
  'ino': (number);
  'type': (number);
  'uflags': (number);
  'peer': (number);
  'name': (Buffer);
  'deleted'?: (boolean);
  'ns_id'?: (number);
}
