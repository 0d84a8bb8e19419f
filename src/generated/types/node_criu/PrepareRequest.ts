// Original file: proto/migration.proto


export interface PrepareRequest {
  'id'?: (string);
  'index'?: (number);
  'lazy'?: (boolean);
  'lazyRestore'?: (boolean);
}

export interface PrepareRequest__Output {
  'id': (string);
  'index': (number);
  'lazy': (boolean);
  'lazyRestore': (boolean);
}
