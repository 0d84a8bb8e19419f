// Original file: proto/migration.proto


export interface RoundRequest {
  'id'?: (string);
  'index'?: (number);
}

export interface RoundRequest__Output {
  'id': (string);
  'index': (number);
}
