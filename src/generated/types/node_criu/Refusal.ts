// Original file: proto/migration.proto

export const Refusal = {
  REFUSAL_UNSPECIFIED: 'REFUSAL_UNSPECIFIED',
  BUSY: 'BUSY',
  CLOSING: 'CLOSING',
  NO_SPACE: 'NO_SPACE',
  PIDS_IN_USE: 'PIDS_IN_USE',
  NOT_AUTHORIZED: 'NOT_AUTHORIZED',
  INCOMPATIBLE: 'INCOMPATIBLE',
  PROTOCOL_VERSION: 'PROTOCOL_VERSION',
  INVALID_OFFER: 'INVALID_OFFER',
  OVER_LIMIT: 'OVER_LIMIT',
} as const;

export type Refusal =
  | 'REFUSAL_UNSPECIFIED'
  | 0
  | 'BUSY'
  | 1
  | 'CLOSING'
  | 2
  | 'NO_SPACE'
  | 3
  | 'PIDS_IN_USE'
  | 4
  | 'NOT_AUTHORIZED'
  | 5
  | 'INCOMPATIBLE'
  | 6
  | 'PROTOCOL_VERSION'
  | 7
  | 'INVALID_OFFER'
  | 8
  | 'OVER_LIMIT'
  | 9

export type Refusal__Output = typeof Refusal[keyof typeof Refusal]
