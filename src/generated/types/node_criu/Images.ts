// Original file: proto/migration.proto

import type { Image as _node_criu_Image, Image__Output as _node_criu_Image__Output } from '../node_criu/Image.ts';

export interface Images {
  'images'?: (_node_criu_Image)[];
}

export interface Images__Output {
  'images': (_node_criu_Image__Output)[];
}
