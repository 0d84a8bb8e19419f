// Original file: proto/images.proto


export interface fdinfo_entry {
  'id': (number);
  'type': (number);
  'fd': (number);
}

export interface fdinfo_entry__Output {
  'id': (number);
  'type': (number);
  'fd': (number);
}
