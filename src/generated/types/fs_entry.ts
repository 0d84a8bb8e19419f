// Original file: proto/images.proto


export interface fs_entry {
  'cwd_id': (number);
  'root_id': (number);
}

export interface fs_entry__Output {
  'cwd_id': (number);
  'root_id': (number);
}
