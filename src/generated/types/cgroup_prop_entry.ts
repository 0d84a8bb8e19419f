// Original file: proto/images.proto


export interface cgroup_prop_entry {
  'name': (string);
  'value': (string);
}

export interface cgroup_prop_entry__Output {
  'name': (string);
  'value': (string);
}
