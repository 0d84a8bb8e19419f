// Original file: proto/stats.proto


export interface restore_stats_entry {
  'pages_compared': (number);
  'pages_skipped_cow': (number);
  'forking_time': (number);
  'restore_time': (number);
  'pages_restored'?: (number);
}

export interface restore_stats_entry__Output {
  'pages_compared': (number);
  'pages_skipped_cow': (number);
  'forking_time': (number);
  'restore_time': (number);
  'pages_restored'?: (number);
}
