// Original file: proto/stats.proto


export interface dump_stats_entry {
  'freezing_time': (number);
  'frozen_time': (number);
  'memdump_time': (number);
  'memwrite_time': (number);
  'pages_scanned': (number);
  'pages_skipped_parent': (number);
  'pages_written': (number);
  'irmap_resolve'?: (number);
  'pages_lazy': (number);
  'page_pipes'?: (number);
  'page_pipe_bufs'?: (number);
  'shpages_scanned'?: (number);
  'shpages_skipped_parent'?: (number);
  'shpages_written'?: (number);
}

export interface dump_stats_entry__Output {
  'freezing_time': (number);
  'frozen_time': (number);
  'memdump_time': (number);
  'memwrite_time': (number);
  'pages_scanned': (number);
  'pages_skipped_parent': (number);
  'pages_written': (number);
  'irmap_resolve'?: (number);
  'pages_lazy': (number);
  'page_pipes'?: (number);
  'page_pipe_bufs'?: (number);
  'shpages_scanned'?: (number);
  'shpages_skipped_parent'?: (number);
  'shpages_written'?: (number);
}
