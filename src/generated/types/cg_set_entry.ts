// Original file: proto/images.proto

import type { cg_member_entry as _cg_member_entry, cg_member_entry__Output as _cg_member_entry__Output } from './cg_member_entry.ts';

export interface cg_set_entry {
  'ctls'?: (_cg_member_entry)[];
}

export interface cg_set_entry__Output {
  'ctls'?: (_cg_member_entry__Output)[];
}
