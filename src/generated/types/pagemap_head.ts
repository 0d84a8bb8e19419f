// Original file: proto/pagemap.proto


export interface pagemap_head {
  'pages_id': (number);
}

export interface pagemap_head__Output {
  'pages_id': (number);
}
