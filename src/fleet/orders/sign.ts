import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { orderRefused } from '../failure.ts';
import { isName } from '../names.ts';
import {
  type Action,
  isKnownAction,
  type Order,
  type Permission,
  permissionFor,
  type SignedOrder,
} from './order.ts';

/** Keeps a signature from being valid for anything else that is signed with the same key. */
const CONTEXT = 'node-criu fleet order\n';
/** By how much the clocks of an operator and an agent may differ, in milliseconds. */
const MAX_SKEW_MS = 60_000;
/** No order is longer, in characters. */
const MAX_BODY = 512 * 1024;

/** An operator, as an agent knows him. */
export interface FleetOperator {
  /** His name. */
  readonly name: string;
  /** His Ed25519 public key: PEM, or a KeyObject. */
  readonly publicKey: string | KeyObject;
  /** What he may order: `all`, or a list of permissions. Default `all`. */
  readonly may?: 'all' | readonly Permission[] | undefined;
}

/** An operator with a key that has been read. */
export interface TrustedOperator {
  readonly name: string;
  readonly key: KeyObject;
  readonly may: 'all' | readonly Permission[];
}

/** Signs an order. */
export function signOrder(order: Order, key: KeyObject): SignedOrder {
  const body = JSON.stringify(order);
  return { body, signature: sign(null, Buffer.from(CONTEXT + body), key).toString('base64') };
}

/** What an agent or a destination knows when it looks at an order. */
export interface OrderJudge {
  readonly fleet: string;
  readonly operators: readonly TrustedOperator[];
  readonly now: number;
}

/**
 * Reads an order and checks who has signed it, what he may order, and its times. Everything in it is data until then.
 * @throws CriuError ERR_CRIU_FLEET_REFUSED
 */
export function verifyOrder(given: unknown, judge: OrderJudge): Order {
  const { body, signature } = (given ?? {}) as Partial<SignedOrder>;
  if (typeof body !== 'string' || typeof signature !== 'string' || body.length > MAX_BODY) {
    throw orderRefused('the job has no signed order');
  }
  const claimed = parse(body);
  const operator = judge.operators.find(({ name }) => name === claimed.operator);
  if (!operator) throw orderRefused(`this host knows no operator ${shown(claimed.operator)}`);
  const bytes = Buffer.from(CONTEXT + body);
  if (!verify(null, bytes, operator.key, Buffer.from(signature, 'base64'))) {
    throw orderRefused(`the order is not signed by the key of ${operator.name}`);
  }
  const order = requireOrder(claimed);
  if (order.fleet !== judge.fleet) {
    throw orderRefused(`the order is for the fleet ${shown(order.fleet)}, not ${judge.fleet}`);
  }
  requireTime(order, judge.now);
  const needed = permissionFor(order.action);
  if (operator.may !== 'all' && !operator.may.includes(needed)) {
    throw orderRefused(`${operator.name} may not order ${needed}`);
  }
  return order;
}

function requireTime({ issuedAt, expiresAt, operator }: Order, now: number): void {
  const ahead = issuedAt - now;
  if (ahead > MAX_SKEW_MS) {
    const seconds = Math.round(ahead / 1000);
    throw orderRefused(
      `the order was signed ${seconds} s in the future: the clock of ${operator}, or of this host, is wrong`,
    );
  }
  if (now > expiresAt + MAX_SKEW_MS) {
    const seconds = Math.round((now - expiresAt) / 1000);
    throw orderRefused(`the order expired ${seconds} s ago: order it again`);
  }
}

function parse(body: string): Partial<Order> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Refused below.
  }
  throw orderRefused('the order is not JSON');
}

function requireOrder(order: Partial<Order>): Order {
  if (order.version !== 1) throw orderRefused('the order is of a version that this host lacks');
  const { fleet, id, operation, host, issuedAt, expiresAt, action } = order;
  const areNames = [fleet, id, operation, host].every(isName);
  if (!areNames || !Number.isSafeInteger(issuedAt) || !Number.isSafeInteger(expiresAt)) {
    throw orderRefused('the order is incomplete');
  }
  if (!isKnownAction(action)) {
    const kind = (action as { readonly kind?: unknown } | undefined)?.kind;
    throw orderRefused(`this host does not know the order ${shown(kind)}`);
  }
  return order as Order<Action>;
}

function shown(value: unknown): string {
  return isName(value) ? value : JSON.stringify(String(value).slice(0, 80));
}

/** Reads a private key. Throws if it is no Ed25519 key. */
export function readPrivateKey(given: string | KeyObject): KeyObject {
  const key = typeof given === 'string' ? createPrivateKey(given) : given;
  return requireEd25519(key, 'private');
}

/** Reads a public key. Throws if it is no Ed25519 key. */
export function readPublicKey(given: string | KeyObject): KeyObject {
  const key = typeof given === 'string' ? createPublicKey(given) : given;
  return requireEd25519(key, 'public');
}

function requireEd25519(key: KeyObject, type: 'private' | 'public'): KeyObject {
  if (key.type === type && key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`it is a ${key.type} key of type ${key.asymmetricKeyType ?? 'unknown'}`);
}
