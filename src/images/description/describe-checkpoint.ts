import { invalid } from '../../errors.ts';
import type { FileLockEntry } from '../../generated/images/types.ts';
import { eachOf } from '../../procfs/read.ts';
import type { MappedFile } from '../memory/mapped-files.ts';
import { pageSizeOf } from '../memory/page-size.ts';
import type {
  CheckpointDescription,
  DescribeCheckpointOptions,
  DescribedLock,
} from './checkpoint-description.ts';
import { type CommandLine, readCommandLine } from './command-line.ts';
import { mappedFiles, readFiles } from './file-table.ts';
import { describeFiles, describePipes } from './files.ts';
import { ImageDirectory } from './image-directory.ts';
import { describeMappings } from './mappings.ts';
import { describeCgroups, describeMounts, describeNamespaces } from './namespaces.ts';
import { describeNeeds } from './needs.ts';
import { type ProcessImages, readProcesses, usersOf } from './process-images.ts';
import { describeProcess } from './processes.ts';
import {
  type DirectoryMemory,
  describeMemory,
  describeParents,
  manifestOf,
  readPages,
  readStats,
  sizeOf,
  totalOf,
} from './rounds.ts';

const operation = 'describeCheckpoint';
/** Kinds and accesses of locks. Source: CRIU's criu/include/file-lock.h, and fcntl.h. */
const LOCKS: Readonly<Record<number, DescribedLock['kind']>> = {
  1: 'posix',
  2: 'flock',
  4: 'ofd',
  8: 'lease',
};
const ACCESSES = ['read', 'write', 'unlock'] as const;

/**
 * Describes what the images of a dump have: its processes, with command lines and environments from their memory,
 * files, sockets, pipes, mappings and namespaces; and what a restore needs. Of a pre-dump it describes the memory.
 * It reads no more of the memory than command lines and environments, and needs no CRIU and no privileges. Text that
 * is not UTF-8 has lone surrogates, as with {@link decodeImage}.
 * @param directory the images directory
 * @throws CriuError ERR_CRIU_BAD_IMAGE, with `path` and often `offset`: an image is missing or damaged.
 * ERR_CRIU_INVALID_ARGUMENT
 */
export async function describeCheckpoint(
  directory: string,
  options: DescribeCheckpointOptions = {},
): Promise<CheckpointDescription> {
  const { secrets = false } = options;
  if (typeof secrets !== 'boolean') throw invalid(operation, 'secrets', 'a boolean', secrets);
  const images = await ImageDirectory.open(operation, directory);
  const inventory = await images.required('inventory.img', 'INVENTORY');
  const pageSize = await pageSizeOf(operation, images.path);
  // Each waits for many files.
  const [manifest, processes, tables, pages, mounts, lockEntries, parents] = await Promise.all([
    manifestOf(operation, images),
    readProcesses(images, inventory),
    readFiles(images),
    readPages(images, pageSize),
    describeMounts(images),
    images.messages('filelocks.img', 'FILE_LOCKS'),
    describeParents(operation, images, pageSize),
  ]);
  const table = { ...tables, users: usersOf(processes) };
  const files = describeFiles(table);
  const memory = describeMemory(pages);
  const mapped = mappedFiles(table);
  const ids = new Map(processes.flatMap(({ entry, ids }) => (ids ? [[entry.pid, ids]] : [])));
  const startTimes = new Map(manifest?.processes.map(({ pid, startedAt }) => [pid, startedAt]));
  const locks = lockEntries.map(describeLock);
  const architecture = processes[0] && String(processes[0].core.mtype).toLowerCase();
  const [described, namespaces, cgroups, cpuinfo, stats] = await Promise.all([
    eachOf(processes, async (one) =>
      describeProcess(
        one,
        table,
        await commandLineOf(one, pages, { directory: images.path, pageSize, secrets }),
        mappingsOf(one, pages, mapped),
        startTimes.get(one.entry.pid),
      ),
    ),
    describeNamespaces(images, ids, inventory.root_ids),
    images.first('cgroup.img', 'CGROUP'),
    images.first('cpuinfo.img', 'CPUINFO'),
    readStats(images, pageSize, manifest),
  ]);
  return {
    directory: images.path,
    kind: images.names.has('pstree.img') ? 'dump' : 'pre-dump',
    writtenAt: manifest?.createdAt ?? images.writtenAt.toISOString(),
    criu: manifest?.criu,
    host: manifest?.host,
    options: manifest?.options,
    imageVersion: inventory.img_version,
    architecture,
    pageSize,
    fileCount: images.sizes.size,
    size: sizeOf(images),
    processes: described,
    files,
    pipes: describePipes(files, table),
    memory,
    namespaces,
    mounts,
    cgroups: describeCgroups(cgroups, cgroupSets(processes)),
    locks,
    needs: describeNeeds({
      ...{ inventory, architecture, processes, table, files, namespaces, mounts },
      processor: cpuinfo?.x86_entry?.[0]?.model_id,
      hasLocks: locks.length > 0,
      remembered: manifest?.restore.options ?? {},
      bytesLazy: totalOf(memory).bytesLazy,
    }),
    stats,
    parents,
  };
}

async function commandLineOf(
  { entry: { pid }, mm }: ProcessImages,
  { processes }: DirectoryMemory,
  options: { readonly directory: string; readonly pageSize: number; readonly secrets: boolean },
): Promise<CommandLine> {
  if (!mm || !processes.has(pid)) return { args: undefined, environment: undefined };
  return await readCommandLine(operation, mm, { pid, ...options });
}

function mappingsOf(
  { entry: { pid }, mm }: ProcessImages,
  { processes, shared }: DirectoryMemory,
  files: ReadonlyMap<number, MappedFile>,
) {
  return mm ? describeMappings(mm, { runs: processes.get(pid) ?? [], shared, files }) : [];
}

function cgroupSets(processes: readonly ProcessImages[]): Map<number, number> {
  return new Map(
    processes.flatMap(({ entry, core }) => {
      const set = core.thread_core?.cg_set ?? core.tc?.cg_set;
      return set === undefined ? [] : [[entry.pid, set]];
    }),
  );
}

function describeLock({ flag, type, pid, fd, start, len }: FileLockEntry): DescribedLock {
  return {
    ...{ pid, fd },
    kind: LOCKS[flag] ?? 'unknown',
    access: ACCESSES[type] ?? 'unknown',
    start: Number(start),
    length: Number(len),
  };
}
