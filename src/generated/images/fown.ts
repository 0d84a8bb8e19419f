// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';

/** Who gets signals about a file. */
export interface FownEntry {
  uid: number;
  euid: number;
  signum: number;
  pid_type: number;
  pid: number;
}

export const fown_entry: MessageType<FownEntry> = {
  name: 'fown_entry',
  required: ['uid', 'euid', 'signum', 'pid_type', 'pid'],
  fields: {
    1: { name: 'uid', type: 'uint32' },
    2: { name: 'euid', type: 'uint32' },
    3: { name: 'signum', type: 'uint32' },
    4: { name: 'pid_type', type: 'uint32' },
    5: { name: 'pid', type: 'uint32' },
  },
};
