import { Criu, type CriuClientOptions } from './criu.ts';
import type { PreflightFinding } from './finding.ts';
import type { MigrationServer } from './migration/destination/serve.ts';
import type { ServeMigrationsOptions } from './migration/destination/serve-options.ts';
import {
  type ListedMigration,
  type ListMigrationsOptions,
  listMigrations as list,
} from './migration/journal/list-migrations.ts';
import type { Migration } from './migration/source/migrate.ts';
import type { MigrateOptions } from './migration/source/migrate-options.ts';
import {
  unresolvedMigrations as listUnresolved,
  type MigrationResolution,
  type ResolveMigrationOptions,
  resolveMigration as resolve,
  type UnresolvedMigrationsOptions,
} from './migration/source/resolve.ts';
import { readOptions } from './options/check.ts';
import type { LazyRestored, LazyRestoreOptions } from './postcopy/lazy-restore.ts';
import type { PreflightOptions } from './preflight/options.ts';
import type { PreflightRestoreOptions } from './preflight/restore/options.ts';

/** {@link Criu.preflight} of the default client, or of the one with the criu at `path`. */
export async function preflight(
  pid: number,
  options: PreflightOptions & Pick<CriuClientOptions, 'path'> = {},
): Promise<PreflightFinding[]> {
  const { path, ...rest } = readOptions('preflight', options);
  await using criu = clientOf(path);
  return await criu.preflight(pid, rest);
}

/** {@link Criu.preflightRestore} of the default client, or of the one with the criu at `path`. */
export async function preflightRestore(
  directory: string,
  options: Omit<PreflightRestoreOptions, 'imagesDirectory'> & Pick<CriuClientOptions, 'path'> = {},
): Promise<PreflightFinding[]> {
  const { path, ...rest } = readOptions('preflightRestore', options);
  await using criu = clientOf(path);
  return await criu.preflightRestore({ ...rest, imagesDirectory: directory });
}

/** {@link Criu.lazyRestore} of the default client, or of the one with the criu at `path`. */
export async function lazyRestore(
  directory: string,
  options: Omit<LazyRestoreOptions, 'imagesDirectory'> & Pick<CriuClientOptions, 'path'> = {},
): Promise<LazyRestored> {
  const { path, ...rest } = readOptions('lazyRestore', options);
  const criu = clientOf(path);
  return await criu.lazyRestore({ ...rest, imagesDirectory: directory });
}

/** {@link Criu.migrate} of a client with the criu at `path`, or of the default client. */
export function migrate(
  pid: number,
  options: MigrateOptions & Pick<CriuClientOptions, 'path'>,
): Migration {
  // Wrong options reject `result`, as those of the method do.
  const { path, ...rest } = options ?? {};
  return clientOf(path).migrate(pid, rest);
}

/** {@link Criu.serveMigrations} of a client with the criu at `path`, or of the default client. */
export async function serveMigrations(
  options: ServeMigrationsOptions & Pick<CriuClientOptions, 'path'>,
): Promise<MigrationServer> {
  const { path, ...rest } = readOptions('serveMigrations', options);
  return await clientOf(path).serveMigrations(rest);
}

/** {@link Criu.resolveMigration} of the default client. */
export async function resolveMigration(
  id: string,
  options: ResolveMigrationOptions = {},
): Promise<MigrationResolution> {
  return await resolve(id, options);
}

/** {@link Criu.unresolvedMigrations} of the default client. */
export async function unresolvedMigrations(
  options: UnresolvedMigrationsOptions = {},
): Promise<string[]> {
  return await listUnresolved(options);
}

/** {@link Criu.listMigrations} of the default client. */
export async function listMigrations(
  options: ListMigrationsOptions = {},
): Promise<ListedMigration[]> {
  return await list(options);
}

function clientOf(path: string | undefined): Criu {
  return new Criu(path === undefined ? {} : { path });
}
