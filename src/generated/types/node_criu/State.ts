// Original file: proto/migration.proto

export const State = {
  UNKNOWN: 'UNKNOWN',
  RECEIVING: 'RECEIVING',
  PREPARED: 'PREPARED',
  RESUMING: 'RESUMING',
  RESUMED: 'RESUMED',
  COMPLETE: 'COMPLETE',
  ABORTED: 'ABORTED',
  FAILED: 'FAILED',
  LOST: 'LOST',
} as const;

export type State =
  | 'UNKNOWN'
  | 0
  | 'RECEIVING'
  | 1
  | 'PREPARED'
  | 2
  | 'RESUMING'
  | 3
  | 'RESUMED'
  | 4
  | 'COMPLETE'
  | 5
  | 'ABORTED'
  | 6
  | 'FAILED'
  | 7
  | 'LOST'
  | 8

export type State__Output = typeof State[keyof typeof State]
