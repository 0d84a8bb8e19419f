// Original file: proto/streamer.proto


export interface img_streamer_reply_entry {
  'exists': (boolean);
}

export interface img_streamer_reply_entry__Output {
  'exists': (boolean);
}
