// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';

/** The first entry of a pagemap: the number of the pages file. */
export interface PagemapHead {
  pages_id: number;
}

export const pagemap_head: MessageType<PagemapHead> = {
  name: 'pagemap_head',
  required: ['pages_id'],
  fields: {
    1: { name: 'pages_id', type: 'uint32' },
  },
};

/** The sizes of compressed blocks; since CRIU 4.3. A size of 0 stands for zeros, the full size for bytes that are not compressed. */
export interface PagemapBlocks {
  block_sizes?: number[] | undefined;
  total_payload_size: bigint;
  pages_per_block: number;
}

export const pagemap_blocks: MessageType<PagemapBlocks> = {
  name: 'pagemap_blocks',
  required: ['total_payload_size', 'pages_per_block'],
  fields: {
    1: { name: 'block_sizes', type: 'uint32', repeated: true, packed: true },
    2: { name: 'total_payload_size', type: 'uint64' },
    3: { name: 'pages_per_block', type: 'uint32' },
  },
};

/** Consecutive pages, in the order of addresses. */
export interface PagemapEntry {
  vaddr: bigint;
  compat_nr_pages: number;
  in_parent?: boolean | undefined;
  flags?: number | undefined;
  nr_pages?: bigint | undefined;
  blocks?: PagemapBlocks | undefined;
}

export const pagemap_entry: MessageType<PagemapEntry> = {
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
