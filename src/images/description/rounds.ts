import { join } from 'node:path';
import type { StatsEntry } from '../../generated/images/types.ts';
import { remoteFiles } from '../../process/files.ts';
import { eachOf } from '../../procfs/read.ts';
import { type DumpStats, dumpStatsOf } from '../dump-stats.ts';
import { MANIFEST } from '../image-names.ts';
import { type CheckpointManifest, manifestIn } from '../manifest.ts';
import type { DescribedMemory, DescribedRound, MemorySizes } from './described-memory.ts';
import { ImageDirectory } from './image-directory.ts';
import { type Runs, readRuns, sizesOf } from './mappings.ts';

/** The most rounds that are followed. */
const MAX_ROUNDS = 10_000;

/** The pages that the images of a directory have, by process and by shared memory. */
export interface DirectoryMemory {
  readonly processes: ReadonlyMap<number, Runs>;
  readonly shared: ReadonlyMap<number, Runs>;
}

/** Reads which pages a directory has. @throws CriuError ERR_CRIU_BAD_IMAGE */
export async function readPages(
  images: ImageDirectory,
  pageSize: number,
): Promise<DirectoryMemory> {
  const runsOf = async (pattern: RegExp) => {
    const named = [...images.names].flatMap((name) => {
      const [, number] = pattern.exec(name) ?? [];
      return number === undefined ? [] : { name, number: Number(number) };
    });
    named.sort((one, other) => one.number - other.number);
    const runs = await eachOf(named, async ({ name, number }) => {
      return [number, await readRuns(images.path, name, pageSize)] as const;
    });
    return new Map(runs);
  };
  return {
    processes: await runsOf(/^pagemap-(\d+)\.img$/),
    shared: await runsOf(/^pagemap-shmem-(\d+)\.img$/),
  };
}

/** How much memory there is of each process and each shared memory. */
export function describeMemory({ processes, shared }: DirectoryMemory): DescribedMemory[] {
  return [
    ...[...processes].map(([pid, runs]) => ({ pid, shared: undefined, ...sizesOf(runs) })),
    ...[...shared].map(([number, runs]) => ({ pid: undefined, shared: number, ...sizesOf(runs) })),
  ];
}

/** The sum of the memory. */
export function totalOf(memory: readonly MemorySizes[]): MemorySizes {
  const sum = (name: keyof MemorySizes) => memory.reduce((total, one) => total + one[name], 0);
  return {
    bytesStored: sum('bytesStored'),
    bytesInParents: sum('bytesInParents'),
    bytesLazy: sum('bytesLazy'),
  };
}

/**
 * Describes the rounds before, the newest first. Stops at a directory that it has seen, which `verifyImages`
 * reports.
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function describeParents(
  operation: string,
  images: ImageDirectory,
  pageSize: number,
): Promise<DescribedRound[]> {
  const rounds: DescribedRound[] = [];
  const seen = new Set([images.path]);
  for (let at = images; at.names.has('parent') && rounds.length < MAX_ROUNDS; ) {
    at = await ImageDirectory.open(operation, join(at.path, 'parent'));
    if (seen.has(at.path)) break;
    seen.add(at.path);
    rounds.push({
      directory: at.path,
      writtenAt: at.writtenAt.toISOString(),
      ...totalOf(describeMemory(await readPages(at, pageSize))),
      stats: await readStats(at, pageSize, await manifestOf(operation, at)),
    });
  }
  return rounds;
}

/** What the dump says of itself, if node-criu has made it. */
export async function manifestOf(
  operation: string,
  images: ImageDirectory,
): Promise<CheckpointManifest | undefined> {
  if (!images.names.has(MANIFEST)) return undefined;
  return await manifestIn(operation, images.path, remoteFiles);
}

/** The statistics of the dump. Those of CRIU are wrong after rounds, between which it does not reset its counters. */
export async function readStats(
  images: ImageDirectory,
  pageSize: number,
  manifest: CheckpointManifest | undefined,
): Promise<DumpStats | undefined> {
  const entry = await images.first('stats-dump', 'STATS');
  const own = entry?.dump && dumpStatsOf(plain(entry.dump), pageSize);
  return manifest?.stats ? { ...own, ...manifest.stats } : own;
}

function plain(dump: NonNullable<StatsEntry['dump']>): Parameters<typeof dumpStatsOf>[0] {
  const numbers = Object.entries(dump).map(([name, value]) => [name, Number(value)]);
  return Object.fromEntries(numbers) as Parameters<typeof dumpStatsOf>[0];
}

/** The size of all files in a directory. */
export function sizeOf({ sizes }: ImageDirectory): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
