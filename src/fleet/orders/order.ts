import type { WorkloadSpec } from '../workload-spec.ts';

/** How a workload is moved. */
export interface MoveLimits {
  /** How long a move may take for each GiB of memory, in milliseconds. Default 300000. */
  readonly perGiBMs?: number | undefined;
  /** How long a move may go on without a byte, in milliseconds. Default 60000. */
  readonly progressMs?: number | undefined;
}

/** What an order says. */
export type Action =
  | {
      readonly kind: 'move';
      readonly workload: string;
      readonly to: string;
      readonly limits?: MoveLimits;
    }
  | { readonly kind: 'run'; readonly workload: WorkloadSpec }
  | { readonly kind: 'cordon' }
  | { readonly kind: 'uncordon' }
  | { readonly kind: 'drain' }
  | { readonly kind: 'undrain' }
  | { readonly kind: 'cancel'; readonly steps: readonly string[] }
  | { readonly kind: 'forget'; readonly workload: string }
  /** Nothing runs on the host that the order is for: an operator vouches for it. The host reads it when it comes back. */
  | { readonly kind: 'fence' }
  | {
      readonly kind: 'restart';
      readonly workload: string;
      /** The id of the checkpoint, which the host holds. */
      readonly checkpoint: string;
      /** The host that is lost, and fenced. */
      readonly lostHost: string;
      /** That of the new copy: copies of lower ones end. */
      readonly generation: number;
    };

/** What an operator may be allowed to do: the kinds of orders. */
export type Permission = 'move' | 'run' | 'cordon' | 'drain' | 'cancel' | 'forget' | 'restart';

const permissions: Readonly<Record<Action['kind'], Permission>> = {
  move: 'move',
  run: 'run',
  cordon: 'cordon',
  uncordon: 'cordon',
  drain: 'drain',
  undrain: 'drain',
  cancel: 'cancel',
  forget: 'forget',
  fence: 'restart',
  restart: 'restart',
};

/** All permissions. */
export const PERMISSIONS: readonly Permission[] = [...new Set(Object.values(permissions))];

/** What an operator needs to order an action. */
export function permissionFor({ kind }: Action): Permission {
  return permissions[kind];
}

/** True for an action that this version knows. */
export function isKnownAction(action: unknown): action is Action {
  const { kind } = (action ?? {}) as Partial<Action>;
  return typeof kind === 'string' && Object.hasOwn(permissions, kind);
}

/** An order to one host. */
export interface Order<A extends Action = Action> {
  /** The version of this form. */
  readonly version: 1;
  /** The name of the fleet. */
  readonly fleet: string;
  /** Its id, by which it is carried out once only. */
  readonly id: string;
  /** The id of the operation that it belongs to. */
  readonly operation: string;
  /** The name of the operator who has signed it. */
  readonly operator: string;
  /** The host that it is for. */
  readonly host: string;
  /** When it was signed, in milliseconds since 1970. */
  readonly issuedAt: number;
  /** When it must have begun, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** What is to be done. */
  readonly action: A;
}

/** An order with the signature of its operator, as it is in a job. */
export interface SignedOrder {
  /** The order in JSON: the bytes that are signed. */
  readonly body: string;
  /** The Ed25519 signature in base64. */
  readonly signature: string;
}
