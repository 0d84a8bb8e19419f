import { readlink } from 'node:fs/promises';
import { hostname, release, uptime } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CriuError } from '../errors.ts';
import {
  type ChecksumMethod,
  checksumsIn,
  type FileChecksum,
  newChecksumMethod,
} from '../images/checksum.ts';
import type { DumpStats } from '../images/dump-stats.ts';
import { chainOf } from '../images/image-chain.ts';
import { INVENTORY, MANIFEST } from '../images/image-names.ts';
import {
  type CheckpointManifest,
  formatManifest,
  listed,
  MANIFEST_VERSION,
  type ManifestProcess,
  manifestIn,
} from '../images/manifest.ts';
import { isPagesFile } from '../images/pagemap.ts';
import { readTree, type TreeEntry } from '../images/pstree.ts';
import { native } from '../native/index.ts';
import { type RememberedOption, rememberedOptions } from '../options/remembered-options.ts';
import type { CriuOpts } from '../options/types.ts';
import { filesIn } from '../process/files.ts';
import { replaceFile } from '../process/replaced-file.ts';
import { readNamespacesSync } from '../procfs/namespaces.ts';
import { textOfSync } from '../procfs/read.ts';
import { startTimeOf } from '../procfs/stat.ts';
import { statusOf } from '../procfs/status.ts';
import { readBootIdSync } from '../procfs/system.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { type CriuVersion, dotted } from './known-versions.ts';

/** How many processes are read in one turn of the event loop: about a millisecond's worth. */
const BATCH = 8;
/** The unit of start times in /proc, which is the same on all architectures. */
const TICKS_PER_SECOND = 100;
/** Namespaces that a restore makes anew, or that it has to be given. */
const KINDS = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'];
/** Options that say where something is on this host, or how this dump was made, or that contain keys. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  ...['imagesDirectory', 'workDirectory', 'logFile', 'logLevel', 'logToStderr', 'configFile'],
  ...['overwrite', 'durable', 'keepFailed', 'manifest', 'displayStats', 'statusFd', 'pidfdStoreSk'],
  ...['pageServer', 'tls', 'imageIoMode', 'lazyPages', 'trackMem', 'parentImage', 'stream'],
] as const satisfies readonly (keyof CriuOpts)[]);

/** Writes the manifest of a dump: what the checkpoint is, what a restore of it needs, and checksums of its files. */
export class DumpManifest {
  readonly #operation: 'dump' | 'preDump';
  readonly #pid: number;
  readonly #options: CriuOpts;
  readonly #createdAt = new Date();
  readonly #checksum = newChecksumMethod();
  #files: ReadonlyMap<string, FileChecksum> = new Map();
  readonly #namespaces: readonly string[];
  readonly #processes: readonly ManifestProcess[];

  /**
   * Reads the processes of the tree.
   * @param options include the client's defaults and CRIU's configuration files
   * @param tree the pids of the tree, the root first
   */
  static async of(
    operation: 'dump' | 'preDump',
    pid: number,
    options: CriuOpts,
    tree: readonly number[] = descendantsOf(pid),
  ): Promise<DumpManifest> {
    return new DumpManifest(operation, pid, options, await readProcesses(tree));
  }

  private constructor(
    operation: 'dump' | 'preDump',
    pid: number,
    options: CriuOpts,
    processes: readonly ManifestProcess[],
  ) {
    this.#operation = operation;
    this.#pid = pid;
    this.#options = options;
    this.#processes = processes;
    this.#namespaces = ownNamespaces(pid);
  }

  /**
   * Writes it into the directory of the images. Called once these are complete, and again with the statistics,
   * which CRIU writes last.
   * @throws CriuError ERR_CRIU_SYSTEM
   */
  async write(directory: string, stats?: DumpStats, criu?: CriuVersion): Promise<void> {
    try {
      const manifest = await this.#describeDirectory(directory, stats, criu);
      // The first time it is written to the disk together with the images.
      const isDurable = stats !== undefined && this.#options.durable !== false;
      await replaceManifest(directory, manifest, isDurable);
      if (stats && this.#options.autoDedup) await forgetParentPages(this.#operation, directory);
    } catch (cause) {
      const message = `${MANIFEST} cannot be written: ${(cause as Error).message}`;
      throw new CriuError('ERR_CRIU_SYSTEM', message, { operation: this.#operation, cause });
    }
  }

  /** How the checksums of the files are to be made. */
  get checksum(): ChecksumMethod {
    return this.#checksum;
  }

  /**
   * The manifest of these images.
   * @param tree the processes in them
   */
  describe(
    images: ReadonlyMap<string, FileChecksum>,
    tree: readonly TreeEntry[],
    known: {
      readonly inventory?: string;
      readonly parent?: string | undefined;
      readonly stats?: DumpStats | undefined;
      readonly criu?: CriuVersion | undefined;
    },
  ): CheckpointManifest {
    const { inventory, parent, stats, criu } = known;
    const kind = this.#operation === 'dump' ? 'dump' : 'pre-dump';
    const options = this.#options;
    const processes = this.#processesIn(tree);
    return {
      ...{ formatVersion: MANIFEST_VERSION, kind, createdAt: this.#createdAt.toISOString() },
      host: {
        ...{ name: hostname(), architecture: process.arch, kernel: release() },
        ...{ bootId: readBootIdSync(), pageSize: native().pageSize },
      },
      ...(criu && { criu: dotted(criu.number) }),
      ...{ pid: processes[0]?.pid ?? this.#pid, processes, options: kept(options) },
      restore: {
        ...{ options: remembered(options), external: options.external ?? [] },
        namespaces: this.#namespaces,
      },
      ...(inventory !== undefined && { inventory }),
      ...(parent !== undefined && { parent }),
      ...(stats && { stats }),
      ...listed(this.#checksum, images),
    };
  }

  async #describeDirectory(
    directory: string,
    stats: DumpStats | undefined,
    criu: CriuVersion | undefined,
  ): Promise<CheckpointManifest> {
    const files = await filesIn(directory);
    this.#files = await checksumsIn(directory, this.#checksum, files, this.#files);
    const parent = await readlink(join(directory, 'parent')).catch(() => undefined);
    const inventory = (await files.readFile(join(directory, INVENTORY))).toString('base64');
    const tree = await readTree(directory, files);
    return this.describe(this.#files, tree, { inventory, parent, stats, criu });
  }

  /** The processes in the images, described as far as they existed when they were read. A pre-dump has none. */
  #processesIn(tree: readonly TreeEntry[]): readonly ManifestProcess[] {
    if (tree.length === 0) return this.#processes;
    const known = new Map(this.#processes.map((each) => [each.pid, each]));
    return tree.map(({ pid }) => known.get(pid) ?? { pid });
  }
}

async function readProcesses(pids: readonly number[]): Promise<ManifestProcess[]> {
  const bootedAt = Date.now() - 1000 * uptime();
  const processes: ManifestProcess[] = [];
  // The pids in the namespace of each process, by those in this one.
  const inside = new Map<number, number>();
  for (const [index, pid] of pids.entries()) {
    if (index % BATCH === BATCH - 1) await nextTurn();
    const process = readProcess(pid, bootedAt, inside);
    if (process) processes.push(process);
  }
  return processes;
}

/**
 * Undefined for a process that has ended or may not be read.
 * @param inside gets its pid; has the pids of the processes above it
 */
function readProcess(
  pid: number,
  bootedAt: number,
  inside: Map<number, number>,
): ManifestProcess | undefined {
  try {
    const status = statusOf(pid);
    const ticks = startTimeOf(pid);
    if (!status || ticks === undefined) return undefined;
    const own = status.pids.at(-1) ?? pid;
    inside.set(pid, own);
    const parent = inside.get(status.parent);
    const startedAt = new Date(bootedAt + (1000 * Number(ticks)) / TICKS_PER_SECOND);
    const command = textOfSync(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? [];
    return {
      pid: own,
      ...(parent !== undefined && { parent }),
      name: status.name,
      ...(command.length > 0 && { command }),
      startedAt: startedAt.toISOString(),
      startTicks: Number(ticks),
    };
  } catch {
    return undefined;
  }
}

/** The kinds of namespaces that a process does not share with this one. */
function ownNamespaces(pid: number): string[] {
  try {
    const [own, here] = [readNamespacesSync(pid), readNamespacesSync('self')];
    return KINDS.filter((kind) => own.has(kind) && own.get(kind) !== here.get(kind));
  } catch {
    return [];
  }
}

/**
 * Takes the checksums of pages out of the manifests of the parent images, from which a dump with `autoDedup` has
 * removed what it has itself.
 */
async function forgetParentPages(operation: string, directory: string): Promise<void> {
  for (const parent of (await chainOf(directory)).slice(1)) {
    const manifest = await manifestIn(operation, parent, await filesIn(parent));
    if (!manifest) continue;
    const files = Object.entries(manifest.files).filter(([name]) => !isPagesFile(name));
    await replaceManifest(parent, { ...manifest, files: Object.fromEntries(files) }, false);
  }
}

async function replaceManifest(
  directory: string,
  manifest: CheckpointManifest,
  isDurable: boolean,
): Promise<void> {
  await replaceFile(join(directory, MANIFEST), async (file) => {
    await file.writeFile(formatManifest(manifest));
    if (isDurable) await file.sync();
  });
}

function kept(options: CriuOpts): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !NOT_KEPT.has(name)));
}

function remembered(options: CriuOpts): Pick<CriuOpts, RememberedOption> {
  return Object.fromEntries(
    rememberedOptions.flatMap((name) =>
      options[name] === undefined ? [] : [[name, options[name]]],
    ),
  );
}
