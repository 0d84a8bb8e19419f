// Original file: proto/migration.proto


export interface HostFacts {
  'criu'?: (number);
  'kernel'?: (string);
  'architecture'?: (string);
  'memTrack'?: (boolean);
  'lazyPages'?: (boolean);
  'freeMemory'?: (number);
  'freeDisk'?: (number);
}

export interface HostFacts__Output {
  'criu': (number);
  'kernel': (string);
  'architecture': (string);
  'memTrack': (boolean);
  'lazyPages': (boolean);
  'freeMemory': (number);
  'freeDisk': (number);
}
