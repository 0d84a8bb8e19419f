// Original file: proto/images.proto


export interface tty_pty_entry {
  'index': (number);
}

export interface tty_pty_entry__Output {
  'index': (number);
}
