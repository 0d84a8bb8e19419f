// Original file: proto/images.proto

import type { termios_entry as _termios_entry, termios_entry__Output as _termios_entry__Output } from './termios_entry.ts';
import type { tty_pty_entry as _tty_pty_entry, tty_pty_entry__Output as _tty_pty_entry__Output } from './tty_pty_entry.ts';

export interface tty_info_entry {
  'id': (number);
  'type': (number);
  'sid': (number);
  'rdev': (number);
  'termios'?: (_termios_entry | null);
  'pty'?: (_tty_pty_entry | null);
}

export interface tty_info_entry__Output {
  'id': (number);
  'type': (number);
  'sid': (number);
  'rdev': (number);
  'termios'?: (_termios_entry__Output);
  'pty'?: (_tty_pty_entry__Output);
}
