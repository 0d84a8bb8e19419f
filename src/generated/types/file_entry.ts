// Original file: proto/images.proto

import type { reg_file_entry as _reg_file_entry, reg_file_entry__Output as _reg_file_entry__Output } from './reg_file_entry.ts';
import type { inet_sk_entry as _inet_sk_entry, inet_sk_entry__Output as _inet_sk_entry__Output } from './inet_sk_entry.ts';
import type { unix_sk_entry as _unix_sk_entry, unix_sk_entry__Output as _unix_sk_entry__Output } from './unix_sk_entry.ts';
import type { pipe_entry as _pipe_entry, pipe_entry__Output as _pipe_entry__Output } from './pipe_entry.ts';
import type { tty_file_entry as _tty_file_entry, tty_file_entry__Output as _tty_file_entry__Output } from './tty_file_entry.ts';

export interface file_entry {
  'type': (number);
  'id': (number);
  'reg'?: (_reg_file_entry | null);
  'isk'?: (_inet_sk_entry | null);
  'usk'?: (_unix_sk_entry | null);
  'pipe'?: (_pipe_entry | null);
  'tty'?: (_tty_file_entry | null);
}

export interface file_entry__Output {
  'type': (number);
  'id': (number);
  'reg'?: (_reg_file_entry__Output);
  'isk'?: (_inet_sk_entry__Output);
  'usk'?: (_unix_sk_entry__Output);
  'pipe'?: (_pipe_entry__Output);
  'tty'?: (_tty_file_entry__Output);
}
