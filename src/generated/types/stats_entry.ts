// Original file: proto/stats.proto

import type { dump_stats_entry as _dump_stats_entry, dump_stats_entry__Output as _dump_stats_entry__Output } from './dump_stats_entry.ts';
import type { restore_stats_entry as _restore_stats_entry, restore_stats_entry__Output as _restore_stats_entry__Output } from './restore_stats_entry.ts';

export interface stats_entry {
  'dump'?: (_dump_stats_entry | null);
  'restore'?: (_restore_stats_entry | null);
}

export interface stats_entry__Output {
  'dump'?: (_dump_stats_entry__Output);
  'restore'?: (_restore_stats_entry__Output);
}
