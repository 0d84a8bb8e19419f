// Original file: proto/migration.proto

export const Mode = {
  MODE_UNSPECIFIED: 'MODE_UNSPECIFIED',
  STOP_AND_COPY: 'STOP_AND_COPY',
  PRE_COPY: 'PRE_COPY',
  POST_COPY: 'POST_COPY',
  HYBRID: 'HYBRID',
} as const;

export type Mode =
  | 'MODE_UNSPECIFIED'
  | 0
  | 'STOP_AND_COPY'
  | 1
  | 'PRE_COPY'
  | 2
  | 'POST_COPY'
  | 3
  | 'HYBRID'
  | 4

export type Mode__Output = typeof Mode[keyof typeof Mode]
