// Original file: proto/rpc.proto

export const criu_image_io_mode = {
  IMAGE_IO_WRITEBACK: 'IMAGE_IO_WRITEBACK',
  IMAGE_IO_DIRECT: 'IMAGE_IO_DIRECT',
} as const;

export type criu_image_io_mode =
  | 'IMAGE_IO_WRITEBACK'
  | 0
  | 'IMAGE_IO_DIRECT'
  | 1

export type criu_image_io_mode__Output = typeof criu_image_io_mode[keyof typeof criu_image_io_mode]
