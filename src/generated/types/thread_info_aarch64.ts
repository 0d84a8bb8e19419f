// Original file: proto/images.proto

import type { user_aarch64_regs_entry as _user_aarch64_regs_entry, user_aarch64_regs_entry__Output as _user_aarch64_regs_entry__Output } from './user_aarch64_regs_entry.ts';

export interface thread_info_aarch64 {
  'gpregs': (_user_aarch64_regs_entry | null);
}

export interface thread_info_aarch64__Output {
  'gpregs': (_user_aarch64_regs_entry__Output);
}
