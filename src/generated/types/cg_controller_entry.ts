// Original file: proto/images.proto

import type { cgroup_dir_entry as _cgroup_dir_entry, cgroup_dir_entry__Output as _cgroup_dir_entry__Output } from './cgroup_dir_entry.ts';

export interface cg_controller_entry {
  'cnames'?: (string)[];
  'dirs'?: (_cgroup_dir_entry)[];
}

export interface cg_controller_entry__Output {
  'cnames'?: (string)[];
  'dirs'?: (_cgroup_dir_entry__Output)[];
}
