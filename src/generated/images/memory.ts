// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const vma_entry: MessageType<types.VmaEntry> = {
  name: 'vma_entry',
  required: ['start', 'end', 'pgoff', 'shmid', 'prot', 'flags', 'status', 'fd'],
  fields: {
    1: { name: 'start', type: 'uint64', format: { hex: true } },
    2: { name: 'end', type: 'uint64', format: { hex: true } },
    3: { name: 'pgoff', type: 'uint64' },
    4: { name: 'shmid', type: 'uint64' },
    5: { name: 'prot', type: 'uint32', format: { flags: 'mmap.prot' } },
    6: { name: 'flags', type: 'uint32', format: { flags: 'mmap.flags' } },
    7: { name: 'status', type: 'uint32', format: { flags: 'mmap.status' } },
    8: { name: 'fd', type: 'sint64' },
    9: { name: 'madv', type: 'uint64', format: { hex: true } },
    10: { name: 'fdflags', type: 'uint32', format: { hex: true } },
  },
};

export const aio_ring_entry: MessageType<types.AioRingEntry> = {
  name: 'aio_ring_entry',
  required: ['id', 'nr_req', 'ring_len'],
  fields: {
    1: { name: 'id', type: 'uint64' },
    2: { name: 'nr_req', type: 'uint32' },
    3: { name: 'ring_len', type: 'uint32' },
  },
};

export const mm_entry: MessageType<types.MmEntry> = {
  name: 'mm_entry',
  required: ['mm_start_code', 'mm_end_code', 'mm_start_data', 'mm_end_data', 'mm_start_stack', 'mm_start_brk', 'mm_brk', 'mm_arg_start', 'mm_arg_end', 'mm_env_start', 'mm_env_end', 'exe_file_id'],
  fields: {
    1: { name: 'mm_start_code', type: 'uint64', format: { hex: true } },
    2: { name: 'mm_end_code', type: 'uint64', format: { hex: true } },
    3: { name: 'mm_start_data', type: 'uint64', format: { hex: true } },
    4: { name: 'mm_end_data', type: 'uint64', format: { hex: true } },
    5: { name: 'mm_start_stack', type: 'uint64', format: { hex: true } },
    6: { name: 'mm_start_brk', type: 'uint64', format: { hex: true } },
    7: { name: 'mm_brk', type: 'uint64', format: { hex: true } },
    8: { name: 'mm_arg_start', type: 'uint64', format: { hex: true } },
    9: { name: 'mm_arg_end', type: 'uint64', format: { hex: true } },
    10: { name: 'mm_env_start', type: 'uint64', format: { hex: true } },
    11: { name: 'mm_env_end', type: 'uint64', format: { hex: true } },
    12: { name: 'exe_file_id', type: 'uint32' },
    13: { name: 'mm_saved_auxv', type: 'uint64', repeated: true },
    14: { name: 'vmas', type: vma_entry, repeated: true },
    15: { name: 'dumpable', type: 'int32' },
    16: { name: 'aios', type: aio_ring_entry, repeated: true },
    17: { name: 'thp_disabled', type: 'bool' },
  },
};

export const memfd_inode_entry: MessageType<types.MemfdInodeEntry> = {
  name: 'memfd_inode_entry',
  required: ['name', 'uid', 'gid', 'size', 'shmid', 'seals', 'inode_id'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'uid', type: 'uint32' },
    3: { name: 'gid', type: 'uint32' },
    4: { name: 'size', type: 'uint64' },
    5: { name: 'shmid', type: 'uint32' },
    6: { name: 'seals', type: 'uint32', format: { flags: 'seals.flags' } },
    7: { name: 'inode_id', type: 'uint64' },
    8: { name: 'hugetlb_flag', type: 'uint32' },
    9: { name: 'mode', type: 'uint32' },
  },
};
