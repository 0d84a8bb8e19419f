// Original file: proto/images.proto


export interface sk_opts_entry {
  'reuseaddr'?: (boolean);
  'so_bound_dev'?: (string);
  'so_reuseport'?: (boolean);
}

export interface sk_opts_entry__Output {
  'reuseaddr'?: (boolean);
  'so_bound_dev'?: (string);
  'so_reuseport'?: (boolean);
}
