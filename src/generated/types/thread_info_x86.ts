// Original file: proto/images.proto

import type { user_x86_regs_entry as _user_x86_regs_entry, user_x86_regs_entry__Output as _user_x86_regs_entry__Output } from './user_x86_regs_entry.ts';

export interface thread_info_x86 {
  'gpregs': (_user_x86_regs_entry | null);
}

export interface thread_info_x86__Output {
  'gpregs': (_user_x86_regs_entry__Output);
}
