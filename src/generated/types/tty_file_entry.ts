// Original file: proto/images.proto


export interface tty_file_entry {
  'tty_info_id': (number);
}

export interface tty_file_entry__Output {
  'tty_info_id': (number);
}
