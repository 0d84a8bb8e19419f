// Original file: proto/migration.proto


export interface Objection {
  'message'?: (string);
  'remedy'?: (string);
}

export interface Objection__Output {
  'message': (string);
  'remedy': (string);
}
