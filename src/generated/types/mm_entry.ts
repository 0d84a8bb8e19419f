// Original file: proto/images.proto

import type { vma_entry as _vma_entry, vma_entry__Output as _vma_entry__Output } from './vma_entry.ts';

export interface mm_entry {
  'exe_file_id': (number);
  'vmas'?: (_vma_entry)[];
}

export interface mm_entry__Output {
  'exe_file_id': (number);
  'vmas'?: (_vma_entry__Output)[];
}
