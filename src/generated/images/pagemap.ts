// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const pagemap_head: MessageType<types.PagemapHead> = {
  name: 'pagemap_head',
  required: ['pages_id'],
  fields: {
    1: { name: 'pages_id', type: 'uint32' },
  },
};

export const pagemap_blocks: MessageType<types.PagemapBlocks> = {
  name: 'pagemap_blocks',
  required: ['total_payload_size', 'pages_per_block'],
  fields: {
    1: { name: 'block_sizes', type: 'uint32', repeated: true, packed: true },
    2: { name: 'total_payload_size', type: 'uint64' },
    3: { name: 'pages_per_block', type: 'uint32' },
  },
};

export const pagemap_entry: MessageType<types.PagemapEntry> = {
  name: 'pagemap_entry',
  required: ['vaddr', 'compat_nr_pages'],
  fields: {
    1: { name: 'vaddr', type: 'uint64', format: { hex: true } },
    2: { name: 'compat_nr_pages', type: 'uint32' },
    3: { name: 'in_parent', type: 'bool' },
    4: { name: 'flags', type: 'uint32', format: { flags: 'pmap.flags' } },
    5: { name: 'nr_pages', type: 'uint64' },
    6: { name: 'blocks', type: pagemap_blocks },
  },
};
