// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const fown_entry: MessageType<types.FownEntry> = {
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
