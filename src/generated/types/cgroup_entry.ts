// Original file: proto/images.proto

import type { cg_set_entry as _cg_set_entry, cg_set_entry__Output as _cg_set_entry__Output } from './cg_set_entry.ts';
import type { cg_controller_entry as _cg_controller_entry, cg_controller_entry__Output as _cg_controller_entry__Output } from './cg_controller_entry.ts';

export interface cgroup_entry {
  'sets'?: (_cg_set_entry)[];
  'controllers'?: (_cg_controller_entry)[];
}

export interface cgroup_entry__Output {
  'sets'?: (_cg_set_entry__Output)[];
  'controllers'?: (_cg_controller_entry__Output)[];
}
