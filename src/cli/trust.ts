import { isIPv4 } from 'node:net';
import type { Command } from 'commander';
import { CriuError, type TlsOptions } from '../index.ts';

/** How two hosts authenticate each other: by TLS, or not at all on a loopback address. */
export interface Trust {
  readonly tls?: TlsOptions;
  readonly insecure?: boolean;
}

/** The flags of {@link addTrustFlags}. */
export interface TrustFlags {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: true;
}

/** Adds the flags with which two hosts authenticate each other. */
export function addTrustFlags(command: Command): Command {
  return command
    .option('--ca <file>', 'certificate authority of both hosts: ca.pem of node-criu cert')
    .option('--cert <file>', 'certificate of this host')
    .option('--key <file>', 'key of this certificate')
    .option('--insecure', 'use no certificates; only on a loopback address');
}

/**
 * The options of the library for these flags.
 * @param host the address to listen on or to connect to, if known
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT unless the flags are complete
 */
export function trustFrom({ ca, cert, key, insecure }: TrustFlags, host?: string): Trust {
  if (ca !== undefined && cert !== undefined && key !== undefined && !insecure) {
    return { tls: { ca, cert, key } };
  }
  const hasNoFile = ca === undefined && cert === undefined && key === undefined;
  const isLocal = host === undefined || isLoopback(host);
  if (insecure && hasNoFile && isLocal) return { insecure };
  const message =
    insecure && hasNoFile
      ? `--insecure is for loopback addresses only, not ${host}: give --ca, --cert and --key`
      : 'give all of --ca, --cert and --key, or --insecure';
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message);
}

/** True if the address or name reaches only this host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
