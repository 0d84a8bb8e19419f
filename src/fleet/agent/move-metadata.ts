import { isRecord } from '../../options/check.ts';
import { isWorkloadKind } from '../names.ts';
import type { SignedOrder } from '../orders/order.ts';
import type { WorkloadKind } from '../view.ts';
import type { WorkloadSpec } from '../workload-spec.ts';

/** What a source tells a destination of a workload. */
export interface MoveMetadata {
  /** The order of the operator, which the destination verifies as well. */
  readonly order: SignedOrder;
  readonly spec: WorkloadSpec;
  readonly kind: WorkloadKind;
  readonly generation: number;
}

/** The metadata of a migration. */
export function toMigrationMetadata(move: MoveMetadata): object {
  return { fleet: move };
}

/**
 * What the metadata of an offer are of; undefined if they contradict themselves. Those of a container or a copy have those of
 * the fleet inside.
 */
export function offeredKind(metadata: unknown): WorkloadKind | undefined {
  const { container, copy } = isRecord(metadata) ? metadata : {};
  if (isRecord(container)) return isRecord(copy) ? undefined : 'container';
  return isRecord(copy) ? 'copy' : 'process';
}

/** Reads the metadata of an offer; undefined if it is not that of a fleet. The order is not verified yet. */
export function fromMigrationMetadata(given: unknown): MoveMetadata | undefined {
  const { fleet, metadata } = isRecord(given) ? given : {};
  if (offeredKind(given) !== 'process') return fromMigrationMetadata(metadata);
  if (!isRecord(fleet)) return undefined;
  const { order, spec, kind, generation } = fleet;
  const isSensible =
    isRecord(order) && isRecord(spec) && isWorkloadKind(kind) && Number.isSafeInteger(generation);
  return isSensible ? (fleet as unknown as MoveMetadata) : undefined;
}
