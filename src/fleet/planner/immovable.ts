import type { FleetHost, FleetWorkload } from '../view.ts';

/** Why a workload cannot be moved now, whatever the destination; undefined if it can. */
export function immovableReason(
  { state, movingTo, host: hostName }: FleetWorkload,
  host: FleetHost | undefined,
): string | undefined {
  if (state === 'ended') return 'it has ended';
  if (state === 'unresolved') return 'its last migration is not resolved; resolve it first';
  if (state === 'moving') {
    return movingTo === undefined
      ? 'it is being moved already'
      : `it is being moved to ${movingTo} already`;
  }
  if (!host) return `its host ${hostName} is not in the fleet`;
  const { name, isAlive, isFenced, limits } = host;
  if (isFenced) return `its host ${name} is fenced; restart it from its checkpoint`;
  if (!isAlive) return `its host ${name} is lost: its agent does not answer`;
  if (limits.outgoing < 1) return `its host ${name} sends no migrations: its limit is 0`;
  return undefined;
}
