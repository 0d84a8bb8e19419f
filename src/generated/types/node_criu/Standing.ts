// Original file: proto/migration.proto


export interface Standing {
  'state'?: (string);
  'pid'?: (number);
  'message'?: (string);
  'pages'?: (number);
}

export interface Standing__Output {
  'state': (string);
  'pid': (number);
  'message': (string);
  'pages': (number);
}
