// Original file: proto/migration.proto


export interface AbortRequest {
  'id'?: (string);
  'reason'?: (string);
  'protocol'?: (number);
}

export interface AbortRequest__Output {
  'id': (string);
  'reason': (string);
  'protocol': (number);
}
