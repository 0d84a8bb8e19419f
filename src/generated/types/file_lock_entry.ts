// Original file: proto/images.proto


export interface file_lock_entry {
  'pid': (number);
  'fd': (number);
}

export interface file_lock_entry__Output {
  'pid': (number);
  'fd': (number);
}
