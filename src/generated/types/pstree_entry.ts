// Original file: proto/images.proto


export interface pstree_entry {
  'pid': (number);
  'pgid': (number);
  'sid': (number);
  'threads'?: (number)[];
}

export interface pstree_entry__Output {
  'pid': (number);
  'pgid': (number);
  'sid': (number);
  'threads'?: (number)[];
}
