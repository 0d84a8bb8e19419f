// Original file: proto/migration.proto


export interface MigrationRequest {
  'id'?: (string);
}

export interface MigrationRequest__Output {
  'id': (string);
}
