// Original file: proto/pagemap.proto


export interface pagemap_entry {
  'vaddr': (number);
  'compat_nr_pages': (number);
  'in_parent'?: (boolean);
  'flags'?: (number);
  'nr_pages'?: (number);
}

export interface pagemap_entry__Output {
  'vaddr': (number);
  'compat_nr_pages': (number);
  'in_parent'?: (boolean);
  'flags'?: (number);
  'nr_pages'?: (number);
}
