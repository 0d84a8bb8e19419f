// Original file: proto/images.proto


export interface vma_entry {
  'shmid': (number);
  'status': (number);
}

export interface vma_entry__Output {
  'shmid': (number);
  'status': (number);
}
