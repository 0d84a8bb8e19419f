// Original file: proto/images.proto

import type { cgroup_dir_entry as _cgroup_dir_entry, cgroup_dir_entry__Output as _cgroup_dir_entry__Output } from './cgroup_dir_entry.ts';
import type { cgroup_prop_entry as _cgroup_prop_entry, cgroup_prop_entry__Output as _cgroup_prop_entry__Output } from './cgroup_prop_entry.ts';

export interface cgroup_dir_entry {
  'dir_name': (string);
  'children'?: (_cgroup_dir_entry)[];
  'properties'?: (_cgroup_prop_entry)[];
}

export interface cgroup_dir_entry__Output {
  'dir_name': (string);
  'children'?: (_cgroup_dir_entry__Output)[];
  'properties'?: (_cgroup_prop_entry__Output)[];
}
