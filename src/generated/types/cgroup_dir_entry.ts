// Original file: proto/images.proto


export interface cgroup_dir_entry {
  'dir_name': (string);
}

export interface cgroup_dir_entry__Output {
  'dir_name': (string);
}
