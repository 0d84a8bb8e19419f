// Original file: proto/streamer.proto


export interface img_streamer_request_entry {
  'filename': (string);
}

export interface img_streamer_request_entry__Output {
  'filename': (string);
}
