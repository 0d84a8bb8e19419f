// Original file: proto/images.proto


export interface user_x86_regs_entry {
  'sp': (number);
}

export interface user_x86_regs_entry__Output {
  'sp': (number);
}
