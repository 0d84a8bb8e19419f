// Original file: proto/images.proto


export interface reg_file_entry {
  'name': (string);
  'size'?: (number);
  'ext'?: (boolean);
  'mode'?: (number);
  'build_id'?: (number)[];
}

export interface reg_file_entry__Output {
  'name': (string);
  'size'?: (number);
  'ext'?: (boolean);
  'mode'?: (number);
  'build_id'?: (number)[];
}
