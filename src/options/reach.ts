import { isIPv4, isIPv6 } from 'node:net';
import { CriuError, invalid } from '../errors.ts';
import type { TlsOptions } from './types.ts';

/**
 * Refuses to send memory over a network without TLS, unless the caller sets `insecure`.
 * @param address undefined if there is no connection, or the caller has made the connection
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function assertEncrypted(
  operation: string,
  address: string | undefined,
  tls: TlsOptions | false | undefined,
  insecure: boolean | undefined,
): void {
  if (insecure !== undefined && typeof insecure !== 'boolean') {
    throw invalid(operation, 'insecure', 'a boolean', insecure);
  }
  if (address === undefined || tls || insecure || isLoopback(address)) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: pageServer at ${address} needs tls, because others on the network could read the memory; or set insecure: true`,
    { operation, option: 'pageServer' },
  );
}

/** True if the address reaches only this host. */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return address.startsWith('127.');
  return isIPv6(address) ? address === '::1' : address === 'localhost';
}
