// Original file: proto/images.proto


export interface task_core_entry {
  'comm': (string);
}

export interface task_core_entry__Output {
  'comm': (string);
}
