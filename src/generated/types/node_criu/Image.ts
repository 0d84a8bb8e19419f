// Original file: proto/migration.proto


export interface Image {
  'name'?: (string);
  'data'?: (Buffer | Uint8Array | string);
  'sha256'?: (Buffer | Uint8Array | string);
}

export interface Image__Output {
  'name': (string);
  'data': (Buffer);
  'sha256': (Buffer);
}
