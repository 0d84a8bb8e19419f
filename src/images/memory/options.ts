import { check } from '../../options/check.ts';
import { integer } from '../../options/kinds.ts';

/** A process, by the pid that it had in its own pid namespace. */
export const pidNumber = integer(1, 0x7fffffff);

/** An address, or the one after the last. */
export const address = check(
  'an address, a bigint from 0n to 2n ** 64n',
  (value) => typeof value === 'bigint' && value >= 0n && value <= 1n << 64n,
);
