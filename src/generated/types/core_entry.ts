// Original file: proto/images.proto

import type { task_core_entry as _task_core_entry, task_core_entry__Output as _task_core_entry__Output } from './task_core_entry.ts';

export interface core_entry {
  'tc'?: (_task_core_entry | null);
}

export interface core_entry__Output {
  'tc'?: (_task_core_entry__Output);
}
