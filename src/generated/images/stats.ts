// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const dump_stats_entry: MessageType<types.DumpStatsEntry> = {
  name: 'dump_stats_entry',
  required: ['freezing_time', 'frozen_time', 'memdump_time', 'memwrite_time', 'pages_scanned', 'pages_skipped_parent', 'pages_written', 'pages_lazy'],
  fields: {
    1: { name: 'freezing_time', type: 'uint32' },
    2: { name: 'frozen_time', type: 'uint32' },
    3: { name: 'memdump_time', type: 'uint32' },
    4: { name: 'memwrite_time', type: 'uint32' },
    5: { name: 'pages_scanned', type: 'uint64' },
    6: { name: 'pages_skipped_parent', type: 'uint64' },
    7: { name: 'pages_written', type: 'uint64' },
    8: { name: 'irmap_resolve', type: 'uint32' },
    9: { name: 'pages_lazy', type: 'uint64' },
    10: { name: 'page_pipes', type: 'uint64' },
    11: { name: 'page_pipe_bufs', type: 'uint64' },
    12: { name: 'shpages_scanned', type: 'uint64' },
    13: { name: 'shpages_skipped_parent', type: 'uint64' },
    14: { name: 'shpages_written', type: 'uint64' },
  },
};

export const restore_stats_entry: MessageType<types.RestoreStatsEntry> = {
  name: 'restore_stats_entry',
  required: ['pages_compared', 'pages_skipped_cow', 'forking_time', 'restore_time'],
  fields: {
    1: { name: 'pages_compared', type: 'uint64' },
    2: { name: 'pages_skipped_cow', type: 'uint64' },
    3: { name: 'forking_time', type: 'uint32' },
    4: { name: 'restore_time', type: 'uint32' },
    5: { name: 'pages_restored', type: 'uint64' },
  },
};

export const stats_entry: MessageType<types.StatsEntry> = {
  name: 'stats_entry',
  required: [],
  fields: {
    1: { name: 'dump', type: dump_stats_entry },
    2: { name: 'restore', type: restore_stats_entry },
  },
};
