// Original file: proto/images.proto


export interface task_kobj_ids_entry {
  'files_id': (number);
  'pid_ns_id'?: (number);
  'net_ns_id'?: (number);
  'mnt_ns_id'?: (number);
}

export interface task_kobj_ids_entry__Output {
  'files_id': (number);
  'pid_ns_id'?: (number);
  'net_ns_id'?: (number);
  'mnt_ns_id'?: (number);
}
