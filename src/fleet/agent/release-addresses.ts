import type { MigrationAddress } from '../../index.ts';
import { parseCidr } from '../../netlink/ip-address.ts';
import { addressMessage, deleteAddress, readAddresses } from '../../netlink/rtnetlink.ts';

/** Removes the addresses of workloads that have been ended from the devices of this host. */
export async function releaseAddresses(addresses: readonly MigrationAddress[]): Promise<void> {
  if (addresses.length === 0) return;
  const present = await readAddresses();
  for (const one of addresses) {
    const cidr = parseCidr(typeof one === 'string' ? one : one.address);
    if (!cidr) continue;
    const places = present.filter(
      ({ address, prefix, device }) =>
        address === cidr.address && prefix === cidr.prefix && device !== 'lo',
    );
    for (const { device } of places) await deleteAddress(device, addressMessage(cidr));
  }
}
