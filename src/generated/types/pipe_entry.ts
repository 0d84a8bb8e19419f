// Original file: proto/images.proto


export interface pipe_entry {
  'pipe_id': (number);
  'flags': (number);
}

export interface pipe_entry__Output {
  'pipe_id': (number);
  'flags': (number);
}
