import type { MigrationAddress } from '../../index.ts';
import { placesFor } from '../../migration/destination/addresses/address-admission.ts';
import {
  dropAddresses,
  makeBindable,
  takeAddresses,
} from '../../migration/destination/addresses/incoming-addresses.ts';
import type { IncomingAddress } from '../../migration/journal/incoming-journal.ts';
import { formatMigrationAddress } from '../../migration/protocol/address-options.ts';
import { parseCidr } from '../../netlink/ip-address.ts';
import { addressMessage, deleteAddress, readAddresses } from '../../netlink/rtnetlink.ts';
import { fleetFailure } from '../failure.ts';
import type { WorkloadSpec } from '../workload-spec.ts';

type Addresses = readonly MigrationAddress[] | undefined;

/** How a workload is started that has addresses. */
export interface AddressedStart<T> {
  readonly operation: string;
  readonly spec: Pick<WorkloadSpec, 'name' | 'addresses'>;
  /** The ranges of addresses that may come to this host. */
  readonly allowed: Addresses;
  /** Leaves nothing that runs if it rejects. */
  start(): Promise<T>;
  /** Ends what was started, because its addresses cannot be taken. */
  end(started: T): Promise<void>;
}

/**
 * Starts a workload with its addresses on this host: its sockets can be bound to them from the beginning, and the neighbours
 * are told once it runs. Nothing is left of it or of them if that fails.
 */
export async function withAddresses<T>(given: AddressedStart<T>): Promise<T> {
  const { operation, spec, allowed, start, end } = given;
  const { name, addresses } = spec;
  const places = { addresses: await placesOf(operation, name, addresses, allowed) };
  await makeBindable(places);
  try {
    const started = await start();
    try {
      await takeAddresses(places);
      return started;
    } catch (error) {
      await end(started);
      throw error;
    }
  } catch (error) {
    await dropAddresses(name, { ...places, addressesOn: 'device' });
    throw error;
  }
}

/** Where the addresses go that this host does not have. @throws CriuError ERR_CRIU_FLEET if it may not have one */
async function placesOf(
  operation: string,
  workload: string,
  addresses: Addresses = [],
  allowed: Addresses,
): Promise<IncomingAddress[]> {
  const objections: string[] = [];
  const present = await devicesWith(addresses);
  const missing = addresses
    .map(formatMigrationAddress)
    .filter((text) => !present.some((one) => one.text === text));
  const places = await placesFor(missing, allowed, (message) => objections.push(message));
  const [objection] = objections;
  if (objection === undefined) return places;
  throw fleetFailure(operation, `${workload} cannot run here: ${objection}`);
}

/** Removes the addresses of workloads that have ended from the devices of this host. */
export async function releaseAddresses(addresses: Addresses = []): Promise<void> {
  for (const { cidr, device } of await devicesWith(addresses)) {
    await deleteAddress(device, addressMessage(cidr));
  }
}

/** The devices of this host that have one of these addresses, and which. */
async function devicesWith(addresses: NonNullable<Addresses>) {
  if (addresses.length === 0) return [];
  const present = await readAddresses();
  return addresses.flatMap((one) => {
    const text = formatMigrationAddress(one);
    const cidr = parseCidr(text);
    if (!cidr) return [];
    return present
      .filter(
        ({ address, prefix, device }) =>
          address === cidr.address && prefix === cidr.prefix && device !== 'lo',
      )
      .map(({ device }) => ({ text, cidr, device }));
  });
}
