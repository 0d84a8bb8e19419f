// Original file: proto/images.proto

import type { thread_info_x86 as _thread_info_x86, thread_info_x86__Output as _thread_info_x86__Output } from './thread_info_x86.ts';
import type { task_core_entry as _task_core_entry, task_core_entry__Output as _task_core_entry__Output } from './task_core_entry.ts';
import type { thread_info_aarch64 as _thread_info_aarch64, thread_info_aarch64__Output as _thread_info_aarch64__Output } from './thread_info_aarch64.ts';

export interface core_entry {
  'thread_info'?: (_thread_info_x86 | null);
  'tc'?: (_task_core_entry | null);
  'ti_aarch64'?: (_thread_info_aarch64 | null);
}

export interface core_entry__Output {
  'thread_info'?: (_thread_info_x86__Output);
  'tc'?: (_task_core_entry__Output);
  'ti_aarch64'?: (_thread_info_aarch64__Output);
}
