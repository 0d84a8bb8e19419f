import { type Cidr, parseCidr } from '../../netlink/ip-address.ts';
import { type Check, check } from '../../options/check.ts';

/** An address or a range as `ADDRESS/PREFIX`, alone or with its network device. */
export type MigrationAddress = string | { readonly address: string; readonly device?: string };

/** A {@link MigrationAddress} whose text has been parsed. */
export interface PlacedAddress extends Cidr {
  readonly device: string | undefined;
}

const NAME = /^[^\s/]{1,15}$/;

/** Parses an address; undefined if it is none. */
export function parseAddress(given: MigrationAddress): PlacedAddress | undefined {
  const device = typeof given === 'string' ? undefined : given.device;
  const cidr = parseCidr(formatMigrationAddress(given));
  const isNamed = device === undefined || (NAME.test(device) && device !== 'lo');
  return cidr && isNamed ? { ...cidr, device } : undefined;
}

/** The address or range itself, as `ADDRESS/PREFIX`. */
export function formatMigrationAddress(given: MigrationAddress): string {
  return typeof given === 'string' ? given : given.address;
}

/** A list of addresses, or of ranges. */
export const addresses: Check = check(
  "an array of 'ADDRESS/PREFIX' or { address: 'ADDRESS/PREFIX', device? }, the device not lo",
  (value) => Array.isArray(value) && value.every((one) => parseAddress(one) !== undefined),
);
