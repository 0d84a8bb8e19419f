import type { PeerCertificate } from 'node:tls';
import { builtins } from '../../builtins.ts';
import { invalid } from '../../errors.ts';
import { isLoopback } from '../../options/reach.ts';
import { readTls, type TlsFiles } from '../../options/tls.ts';
import type { TlsOptions } from '../../options/types.ts';

/** The files of {@link TlsOptions}, read. */
export interface Credentials extends TlsFiles {
  /** False if the certificate of a destination may be for any address. */
  readonly verifyName: boolean;
  /** The name that the certificate of a destination must have; undefined for the address that is connected to. */
  readonly name?: string | undefined;
}

/**
 * Reads the TLS material of a migration. Returns undefined if `insecure` is set, which only loopback
 * addresses allow.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function readCredentials(
  operation: string,
  host: string,
  tls: TlsOptions | undefined,
  insecure: boolean | undefined,
  name?: string,
): Promise<Credentials | undefined> {
  if (tls) return { ...(await readTls(operation, tls)), verifyName: tls.verifyName ?? true, name };
  if (insecure && isLoopback(host)) return undefined;
  const takes = insecure
    ? '{ ca, cert, key }: insecure: true is for loopback addresses only'
    : '{ ca, cert, key }, each a PEM text or a path';
  throw invalid(operation, 'tls', takes, tls);
}

/** Checks that the certificate of a destination has the name that it must have. */
export function identityCheck(host: string, { verifyName, name = host }: Credentials) {
  return (_name: string, certificate: PeerCertificate): Error | undefined =>
    verifyName ? builtins.tls.checkServerIdentity(name, certificate) : undefined;
}
