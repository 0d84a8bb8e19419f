// Original file: proto/images.proto


export interface remap_file_path_entry {
  'orig_id': (number);
  'remap_id': (number);
  'remap_type'?: (number);
}

export interface remap_file_path_entry__Output {
  'orig_id': (number);
  'remap_id': (number);
  'remap_type'?: (number);
}
