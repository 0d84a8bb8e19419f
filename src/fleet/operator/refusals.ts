import { CriuError } from '../../errors.ts';
import { formatMigrationAddress } from '../../migration/protocol/address-options.ts';
import { fleetFailure } from '../failure.ts';
import type { FleetView } from '../view.ts';
import type { WorkloadSpec } from '../workload-spec.ts';

/**
 * A missing heartbeat does not say that a host is dead, but one that is there says that it is not.
 * @throws CriuError ERR_CRIU_FLEET if the host is alive
 */
export function requireLost(host: string, { hosts }: FleetView): void {
  const found = hosts.find(({ name }) => name === host);
  if (!found?.isAlive || found.isFenced) return;
  throw fleetFailure('recover', `${host} is alive: drain it, or end its agent first`);
}

/** @throws CriuError ERR_CRIU_FLEET that names the hosts there are */
export function requireHost(operation: string, host: string, { hosts }: FleetView): void {
  if (hosts.some(({ name }) => name === host)) return;
  const known = hosts.map(({ name }) => name).join(', ') || 'none';
  throw fleetFailure(operation, `there is no host ${host}; the hosts are ${known}`);
}

/**
 * An address is on one host only, also that of a workload that has ended and is not forgotten.
 * @throws CriuError ERR_CRIU_FLEET if a workload has one of the addresses
 */
export function requireFreeAddresses(
  { addresses = [] }: WorkloadSpec,
  { workloads }: FleetView,
): void {
  for (const address of addresses.map(formatMigrationAddress)) {
    const owner = workloads.find((one) => one.addresses.includes(address));
    if (!owner) continue;
    const remedy = owner.state === 'ended' ? ', which has ended: forget it first' : '';
    throw fleetFailure('run', `${owner.name} on ${owner.host} has the address ${address}${remedy}`);
  }
}

/** The error of an order for which there is no host. */
export function noHost(operation: string, reason: string): CriuError {
  return new CriuError('ERR_CRIU_FLEET_NO_HOST', `${operation}: ${reason}`, { operation });
}
