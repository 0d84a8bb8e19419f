// Original file: proto/images.proto


export interface mnt_entry {
  'root': (string);
  'mountpoint': (string);
  'ext_mount'?: (boolean);
  'ext_key'?: (string);
}

export interface mnt_entry__Output {
  'root': (string);
  'mountpoint': (string);
  'ext_mount'?: (boolean);
  'ext_key'?: (string);
}
