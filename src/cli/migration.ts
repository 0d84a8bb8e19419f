import type { Command } from 'commander';
import { CriuError, type TlsOptions } from '../index.ts';
import { isLoopback } from '../options/reach.ts';

/** How it is known who the other end is: by TLS, or on loopback not at all. */
export interface Trust {
  readonly tls?: TlsOptions;
  readonly insecure?: boolean;
}

/** What {@link addTrust} adds. */
export interface TrustFlags {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: true;
}

/** Adds the flags that say how the other end is known. */
export function addTrust(command: Command): Command {
  return command
    .option('--ca <file>', 'the certificate authority of both hosts: ca.pem of node-criu cert')
    .option('--cert <file>', 'the certificate of this host')
    .option('--key <file>', 'its key')
    .option('--insecure', 'do without certificates; on loopback only');
}

/**
 * @param host what is listened at, or connected to, if that is known
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it is neither one nor the other
 */
export function trustOf({ ca, cert, key, insecure }: TrustFlags, host?: string): Trust {
  if (ca !== undefined && cert !== undefined && key !== undefined && !insecure) {
    return { tls: { ca, cert, key } };
  }
  const isBare = ca === undefined && cert === undefined && key === undefined;
  const isNear = host === undefined || isLoopback(host);
  if (insecure && isBare && isNear) return { insecure };
  const message =
    insecure && isBare
      ? `--insecure is for loopback addresses only, not ${host}: give --ca, --cert and --key`
      : 'give all of --ca, --cert and --key, or else --insecure';
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message);
}
