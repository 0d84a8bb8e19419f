// Original file: proto/images.proto


export interface cg_member_entry {
  'name': (string);
  'path': (string);
  'cgns_prefix'?: (number);
}

export interface cg_member_entry__Output {
  'name': (string);
  'path': (string);
  'cgns_prefix'?: (number);
}
