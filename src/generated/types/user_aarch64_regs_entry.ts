// Original file: proto/images.proto


export interface user_aarch64_regs_entry {
  'sp': (number);
}

export interface user_aarch64_regs_entry__Output {
  'sp': (number);
}
