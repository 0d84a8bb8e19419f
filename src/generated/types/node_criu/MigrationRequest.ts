// Original file: proto/migration.proto


export interface MigrationRequest {
  'id'?: (string);
  'protocol'?: (number);
}

export interface MigrationRequest__Output {
  'id': (string);
  'protocol': (number);
}
