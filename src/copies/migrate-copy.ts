import { existsSync, readdirSync } from 'node:fs';
import { asCriuError, invalid } from '../errors.ts';
import { endConnections } from '../images/rewrite/ended-connections.ts';
import { forgetType } from '../images/rewrite/external-files.ts';
import { rewriteFiles } from '../images/rewrite/rewrite-files.ts';
import type { MigrateOptions } from '../migration/source/migrate-options.ts';
import { checkValue, readOptions } from '../options/check.ts';
import { overrideHooks } from '../options/hooks.ts';
import { pid as pidCheck } from '../options/kinds.ts';
import { readMountInfo } from '../procfs/mountinfo.ts';
import { readNamespaceSync } from '../procfs/namespaces.ts';
import { statusOf } from '../procfs/status.ts';
import { externalAtDump } from './enclosures.ts';
import { type HostMount, SHARED_MEMORY } from './host-mounts.ts';
import { toMetadata } from './offered-copy.ts';
import { outsideFilesOf } from './outside-files.ts';

const OPERATION = 'migrateCopy';

/** The options of the migration of a copy. */
export async function copyMigration(pid: number, given: MigrateOptions): Promise<MigrateOptions> {
  checkValue(OPERATION, 'pid', pidCheck, pid);
  const { dump = {}, ...options } = readOptions(OPERATION, given);
  const { mounts, sockets, streams, external } = await describe(pid);
  const postDump = async (directory: string) => {
    await rewriteFiles(directory, forgetType, endConnections(sockets));
    await dump.hooks?.postDump?.(directory);
  };
  return {
    ...options,
    metadata: toMetadata({ mounts, sockets, streams }, options.metadata),
    dump: {
      ...dump,
      manageCgroupsMode: 'ignore',
      external: [...(dump.external ?? []), ...externalAtDump(mounts), ...external],
      hooks: overrideHooks(dump.hooks, { postDump }),
    },
  };
}

/** What the copy has of its host. @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it cannot move, ERR_CRIU_SYSTEM */
async function describe(pid: number) {
  try {
    requireMovable(pid);
    return { mounts: await mountsOf(pid), ...(await outsideFilesOf(OPERATION, pid)) };
  } catch (error) {
    throw asCriuError(OPERATION, error);
  }
}

function requireMovable(pid: number): void {
  const isCopy = statusOf(pid)?.pids.at(-1) === 1;
  if (!isCopy) throw invalid(OPERATION, 'pid', 'the init of a copy of a template', pid);
  if (readNamespaceSync(pid, 'net') !== readNamespaceSync('self', 'net')) {
    throw invalid(OPERATION, 'pid', 'a copy in the network of this process', pid);
  }
  const { path } = SHARED_MEMORY;
  const directory = `/proc/${pid}/root${path}`;
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw invalid(OPERATION, 'pid', `a copy without files in its ${path}`, pid);
  }
}

/** The mounts of the host that a copy sees as well, and its own shared memory. */
async function mountsOf(pid: number): Promise<HostMount[]> {
  const all = (await readMountInfo(pid)).map(({ point }) => point);
  const outside = all.filter((point) => point !== '/' && point !== '/proc');
  return outside.map((path, index) => ({
    path,
    name: path === SHARED_MEMORY.path ? SHARED_MEMORY.name : `host-${index}`,
  }));
}
