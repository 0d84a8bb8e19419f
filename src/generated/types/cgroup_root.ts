// Original file: proto/rpc.proto


export interface cgroup_root {
  'ctrl'?: (string);
  'path': (string);
}

export interface cgroup_root__Output {
  'ctrl'?: (string);
  'path': (string);
}
