// Original file: proto/images.proto

import type { task_kobj_ids_entry as _task_kobj_ids_entry, task_kobj_ids_entry__Output as _task_kobj_ids_entry__Output } from './task_kobj_ids_entry.ts';

export interface inventory_entry {
  'img_version'?: (number);
  'root_ids'?: (_task_kobj_ids_entry | null);
  'tcp_close'?: (boolean);
}

export interface inventory_entry__Output {
  'img_version'?: (number);
  'root_ids'?: (_task_kobj_ids_entry__Output);
  'tcp_close'?: (boolean);
}
