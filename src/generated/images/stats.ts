// Written by scripts/generate.mjs from proto/. Do not edit.
import type { MessageType } from '../../protobuf/message-type.ts';

/** Times of a dump, in microseconds, and its pages. */
export interface DumpStatsEntry {
  freezing_time: number;
  frozen_time: number;
  memdump_time: number;
  memwrite_time: number;
  pages_scanned: bigint;
  pages_skipped_parent: bigint;
  pages_written: bigint;
  irmap_resolve?: number | undefined;
  pages_lazy: bigint;
  page_pipes?: bigint | undefined;
  page_pipe_bufs?: bigint | undefined;
  shpages_scanned?: bigint | undefined;
  shpages_skipped_parent?: bigint | undefined;
  shpages_written?: bigint | undefined;
}

export const dump_stats_entry: MessageType<DumpStatsEntry> = {
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

/** Times of a restore, in microseconds, and its pages. */
export interface RestoreStatsEntry {
  pages_compared: bigint;
  pages_skipped_cow: bigint;
  forking_time: number;
  restore_time: number;
  pages_restored?: bigint | undefined;
}

export const restore_stats_entry: MessageType<RestoreStatsEntry> = {
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

/** The statistics of one operation. */
export interface StatsEntry {
  dump?: DumpStatsEntry | undefined;
  restore?: RestoreStatsEntry | undefined;
}

export const stats_entry: MessageType<StatsEntry> = {
  name: 'stats_entry',
  required: [],
  fields: {
    1: { name: 'dump', type: dump_stats_entry },
    2: { name: 'restore', type: restore_stats_entry },
  },
};
