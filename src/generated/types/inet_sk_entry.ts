// Original file: proto/images.proto

import type { sk_opts_entry as _sk_opts_entry, sk_opts_entry__Output as _sk_opts_entry__Output } from './sk_opts_entry.ts';

export interface inet_sk_entry {
  'family': (number);
  'proto': (number);
  'state': (number);
  'src_port': (number);
  'dst_port': (number);
  'src_addr'?: (number)[];
  'dst_addr'?: (number)[];
  'opts': (_sk_opts_entry | null);
  'v6only'?: (boolean);
  'ifname'?: (string);
  'ns_id'?: (number);
}

export interface inet_sk_entry__Output {
  'family': (number);
  'proto': (number);
  'state': (number);
  'src_port': (number);
  'dst_port': (number);
  'src_addr'?: (number)[];
  'dst_addr'?: (number)[];
  'opts': (_sk_opts_entry__Output);
  'v6only'?: (boolean);
  'ifname'?: (string);
  'ns_id'?: (number);
}
