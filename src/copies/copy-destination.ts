import {
  arrivingCopies,
  type CopyDestination,
  type CopyDestinationOptions,
} from './arriving-copies.ts';

/**
 * Options of a migration server that takes copies of templates from {@link Criu.migrateCopy}. The host needs the same file systems at
 * the same places as the source, but no template. Offers of other processes are refused.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 * @example
 * ```ts
 * const copies = copyDestination();
 * await criu.serveMigrations({ listen: { host: '192.0.2.2', port: 7007 }, tls, directory, ...copies });
 * ```
 */
export function copyDestination(options: CopyDestinationOptions = {}): CopyDestination {
  return arrivingCopies('copyDestination', options);
}
