import type { KeyObject } from 'node:crypto';
import { CriuError } from '../errors.ts';
import {
  check,
  checkOptions,
  either,
  isRecord,
  object,
  required,
  type Shape,
} from '../options/check.ts';
import { isText } from '../options/kinds.ts';
import { name } from './names.ts';
import { readPrivateKey } from './orders/sign.ts';
import type { FleetRedis } from './redis/connection.ts';

/** Who gives orders. */
export interface OperatorIdentity {
  /** The name by which the hosts know him. */
  readonly name: string;
  /** His Ed25519 private key: PEM, or a KeyObject. */
  readonly privateKey: string | KeyObject;
}

/** Options of {@link Fleet.connect}. */
export interface FleetOptions {
  /** The Redis of the fleet: a URL such as `rediss://agent:secret@192.0.2.5:6380`, or options of ioredis. */
  readonly redis: FleetRedis;
  /** The name of the fleet; a Redis may have several. Default `default`. */
  readonly name?: string;
  /** Who gives orders. Without it one can join and look, but not order anything. */
  readonly operator?: OperatorIdentity;
}

/** An operator whose key has been read. */
export interface Signer {
  readonly name: string;
  readonly key: KeyObject;
}

/** {@link FleetOptions}, checked. */
export interface CheckedFleetOptions {
  readonly redis: FleetRedis;
  readonly name: string;
  readonly operator: Signer | undefined;
}

const OPERATION = 'Fleet.connect';

const key = check(
  'an Ed25519 private key in PEM, or a KeyObject',
  (value) => isText(value) || (typeof value === 'object' && value !== null),
);

const shape: Shape<FleetOptions> = {
  redis: required(
    either(
      check('a URL redis:// or rediss://', (value) => isText(value) && /^rediss?:\/\//.test(value)),
      check('options of ioredis', isRecord),
    ),
  ),
  name,
  operator: object<OperatorIdentity>({ name: required(name), privateKey: required(key) }),
};

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkFleetOptions(given: FleetOptions): CheckedFleetOptions {
  const { redis, name: fleet = 'default', operator } = checkOptions(OPERATION, given, shape);
  return { redis, name: fleet, operator: operator && readSigner(operator) };
}

function readSigner({ name: operator, privateKey }: OperatorIdentity): Signer {
  try {
    return { name: operator, key: readPrivateKey(privateKey) };
  } catch (cause) {
    // Without the value, which may be a private key of another kind.
    const option = 'operator.privateKey';
    const message = `${OPERATION}: ${option} takes ${key.takes} (${(cause as Error).message})`;
    const details = { operation: OPERATION, option, cause };
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, details);
  }
}
