// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const pstree_entry: MessageType<types.PstreeEntry> = {
  name: 'pstree_entry',
  required: ['pid', 'ppid', 'pgid', 'sid'],
  fields: {
    1: { name: 'pid', type: 'uint32' },
    2: { name: 'ppid', type: 'uint32' },
    3: { name: 'pgid', type: 'uint32' },
    4: { name: 'sid', type: 'uint32' },
    5: { name: 'threads', type: 'uint32', repeated: true },
  },
};
