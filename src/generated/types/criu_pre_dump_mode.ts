// Original file: proto/rpc.proto

export const criu_pre_dump_mode = {
  SPLICE: 'SPLICE',
  VM_READ: 'VM_READ',
} as const;

export type criu_pre_dump_mode =
  | 'SPLICE'
  | 1
  | 'VM_READ'
  | 2

export type criu_pre_dump_mode__Output = typeof criu_pre_dump_mode[keyof typeof criu_pre_dump_mode]
