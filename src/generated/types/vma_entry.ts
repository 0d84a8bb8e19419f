// Original file: proto/images.proto


export interface vma_entry {
  'start': (number);
  'end': (number);
  'shmid': (number);
  'flags': (number);
  'status': (number);
}

export interface vma_entry__Output {
  'start': (number);
  'end': (number);
  'shmid': (number);
  'flags': (number);
  'status': (number);
}
