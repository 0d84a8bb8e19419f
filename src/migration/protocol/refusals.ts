import type { MigrationRefusal } from '../../errors.ts';
import type { Objection__Output } from '../../generated/types/node_criu/Objection.ts';
import type { Refusal__Output } from '../../generated/types/node_criu/Refusal.ts';

/** A reason for which a destination refuses an offer. */
export type RefusalCode = Exclude<MigrationRefusal, 'unreachable'>;

/** Sorted by how likely the reason is to pass, the least likely first. */
const wireCodes = {
  invalid: 'INVALID_OFFER',
  'over-limit': 'OVER_LIMIT',
  version: 'PROTOCOL_VERSION',
  'not-authorized': 'NOT_AUTHORIZED',
  incompatible: 'INCOMPATIBLE',
  'pids-in-use': 'PIDS_IN_USE',
  'no-space': 'NO_SPACE',
  closing: 'CLOSING',
  busy: 'BUSY',
} as const satisfies Record<RefusalCode, Refusal__Output>;

/** The code as a value of the wire protocol. */
export function toWireRefusal(code: RefusalCode): Refusal__Output {
  return wireCodes[code];
}

/** The code of a wire value; undefined for one that this version does not know. */
export function fromWireRefusal(wire: Refusal__Output | undefined): RefusalCode | undefined {
  const codes = Object.keys(wireCodes) as RefusalCode[];
  return codes.find((code) => wireCodes[code] === wire);
}

/** The reason that is least likely to pass; undefined if no objection has a known code. */
export function refusalOf(objections: readonly Objection__Output[]): RefusalCode | undefined {
  const codes = Object.keys(wireCodes) as RefusalCode[];
  return codes.find((code) => objections.some((one) => one.code === wireCodes[code]));
}
