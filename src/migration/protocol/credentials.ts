import type { PeerCertificate } from 'node:tls';
import { builtins } from '../../builtins.ts';
import { invalid } from '../../errors.ts';
import { checkValue } from '../../options/check.ts';
import { isLoopback } from '../../options/reach.ts';
import { readTls, type TlsFiles, tlsMaterial } from '../../options/tls.ts';
import type { TlsOptions } from '../../options/types.ts';

/** The files of {@link TlsOptions}, read. */
export interface Credentials extends TlsFiles {
  /** False if the certificate of a destination may be for any address. */
  readonly verifyName: boolean;
}

/**
 * Reads the certificates. Without, there is no authentication: only between processes of this host,
 * and if the caller says so.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function readCredentials(
  operation: string,
  host: string,
  tls: TlsOptions | undefined,
  insecure: boolean | undefined,
): Promise<Credentials | undefined> {
  if (insecure !== undefined && typeof insecure !== 'boolean') {
    throw invalid(operation, 'insecure', 'a boolean', insecure);
  }
  if (tls === undefined) {
    if (insecure && isLoopback(host)) return undefined;
    const takes = insecure
      ? '{ ca, cert, key }: insecure: true is for loopback addresses only'
      : '{ ca, cert, key }, PEM texts or paths';
    throw invalid(operation, 'tls', takes, tls);
  }
  checkValue(operation, 'tls', tlsMaterial, tls);
  return { ...(await readTls(operation, tls)), verifyName: tls.verifyName ?? true };
}

/** Compares the certificate of a destination with the address that was connected to. */
export function identityCheck(host: string, { verifyName }: Credentials) {
  return (_name: string, certificate: PeerCertificate): Error | undefined =>
    verifyName ? builtins.tls.checkServerIdentity(host, certificate) : undefined;
}
