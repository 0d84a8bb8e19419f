import { hostname, release } from 'node:os';
import { join } from 'node:path';
import { CriuError } from '../errors.ts';
import { type ChecksumMethod, type FileChecksum, newChecksumMethod } from '../images/checksum.ts';
import type { DumpStats } from '../images/dump-stats.ts';
import { FileChecksums } from '../images/file-checksums.ts';
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
import { type Files, filesIn } from '../process/files.ts';
import { replaceText } from '../process/replaced-file.ts';
import { readBootIdSync } from '../procfs/system.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { FollowedPages } from './followed-pages.ts';
import { type CriuVersion, dotted } from './known-versions.ts';
import { ownNamespaces, type RunningProcesses, readProcesses } from './manifest-processes.ts';

/** Options that say where something is on this host, or how this dump was made, or that contain keys. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  ...['imagesDirectory', 'workDirectory', 'logFile', 'logLevel', 'logToStderr', 'configFile'],
  ...['overwrite', 'durable', 'keepFailed', 'manifest', 'displayStats', 'statusFd', 'pidfdStoreSk'],
  ...['pageServer', 'tls', 'imageIoMode', 'lazyPages', 'trackMem', 'parentImage', 'stream'],
] as const satisfies readonly (keyof CriuOpts)[]);

/** Writes the manifest of a dump: what the checkpoint is, what a restore of it needs, and checksums of its files. */
export class DumpManifest implements Disposable {
  readonly #operation: 'dump' | 'preDump';
  readonly #pid: number;
  readonly #options: CriuOpts;
  readonly #createdAt = new Date();
  readonly #checksum = newChecksumMethod();
  #files: ReadonlyMap<string, FileChecksum> = new Map();
  #checksums: FileChecksums | undefined;
  /** How to make calls on files in the directory of the images, once that is known. */
  #calls: Files | undefined;
  /** What is in the images besides checksums: read once, because it does not change. */
  #contents: ImageContents | undefined;
  #pages: FollowedPages | undefined;
  readonly #namespaces: readonly string[];
  readonly #running: RunningProcesses;

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
    running: RunningProcesses,
  ) {
    this.#operation = operation;
    this.#pid = pid;
    this.#options = options;
    this.#running = running;
    this.#namespaces = ownNamespaces(pid);
  }

  /**
   * Makes the checksums of the memory while CRIU writes it, if it is much.
   * @param directory where CRIU writes the images; nobody else writes files of pages there
   * @param files how to make calls on files in it
   */
  followPages(directory: string, files: Files): void {
    this.#calls = files;
    if (!FollowedPages.isWorthwhile(this.#options, this.#running.memory, files)) return;
    this.#pages = new FollowedPages(directory, this.#checksum);
  }

  /**
   * To be called for each notification of CRIU, before hooks are.
   * @param hasHooks true if the caller has hooks, which could change the images
   */
  observe(script: string, hasHooks: boolean): void {
    if (script === 'post-dump') this.#pages?.end(hasHooks);
    else this.#pages?.start();
  }

  /**
   * Writes it into the directory of the images. Called once these are complete, and again with the statistics,
   * which CRIU writes last.
   * @throws CriuError ERR_CRIU_SYSTEM
   */
  async write(directory: string, stats?: DumpStats, criu?: CriuVersion): Promise<void> {
    try {
      // The images are always in the same file system.
      const files = this.#calls ?? (await filesIn(directory));
      this.#calls = files;
      const manifest = await this.#describeDirectory(directory, files, stats, criu);
      // The first time it is written to the disk together with the images.
      const isDurable = stats !== undefined && this.#options.durable !== false;
      await replaceManifest(directory, manifest, files, isDurable);
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

  /** Ends what {@link followPages} has started. Idempotent. */
  [Symbol.dispose](): void {
    this.#pages?.[Symbol.dispose]();
  }

  async #describeDirectory(
    directory: string,
    files: Files,
    stats: DumpStats | undefined,
    criu: CriuVersion | undefined,
  ): Promise<CheckpointManifest> {
    const pages = (await this.#pages?.read(directory, files)) ?? [];
    this.#pages = undefined;
    const known = new Map([...this.#files, ...pages]);
    this.#checksums ??= new FileChecksums(this.#checksum, files);
    this.#files = await this.#checksums.allIn(directory, known);
    this.#contents ??= await readContents(directory, files);
    const { tree, ...contents } = this.#contents;
    return this.describe(this.#files, tree, { ...contents, stats, criu });
  }

  /** The processes in the images, described as far as they existed when they were read. A pre-dump has none. */
  #processesIn(tree: readonly TreeEntry[]): readonly ManifestProcess[] {
    const { processes } = this.#running;
    if (tree.length === 0) return processes;
    const known = new Map(processes.map((each) => [each.pid, each]));
    return tree.map(({ pid }) => known.get(pid) ?? { pid });
  }
}

/**
 * Takes the checksums of pages out of the manifests of the parent images, from which a dump with `autoDedup` has
 * removed what it has itself.
 */
async function forgetParentPages(operation: string, directory: string): Promise<void> {
  for (const parent of (await chainOf(directory)).slice(1)) {
    const files = await filesIn(parent);
    const manifest = await manifestIn(operation, parent, files);
    if (!manifest) continue;
    const others = Object.entries(manifest.files).filter(([name]) => !isPagesFile(name));
    const changed = { ...manifest, files: Object.fromEntries(others) };
    await replaceManifest(parent, changed, files, false);
  }
}

async function replaceManifest(
  directory: string,
  manifest: CheckpointManifest,
  files: Files,
  isDurable: boolean,
): Promise<void> {
  await replaceText(join(directory, MANIFEST), formatManifest(manifest), files, isDurable);
}

interface ImageContents {
  readonly inventory: string;
  readonly tree: readonly TreeEntry[];
  readonly parent: string | undefined;
}

async function readContents(directory: string, files: Files): Promise<ImageContents> {
  return {
    inventory: (await files.readFile(join(directory, INVENTORY))).toString('base64'),
    tree: await readTree(directory, files),
    parent: await files.readlink(join(directory, 'parent')).catch(() => undefined),
  };
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
