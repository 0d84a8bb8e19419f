import { join } from 'node:path';
import { CriuError, invalid, systemFailure } from '../errors.ts';
import { directoryPath } from '../options/kinds.ts';
import { rememberedOptions } from '../options/remembered-options.ts';
import { rowOf } from '../options/table.ts';
import type { CriuOpts } from '../options/types.ts';
import { type Files, filesIn } from '../process/files.ts';
import type { ChecksumMethod, FileChecksum } from './checksum.ts';
import type { DumpStats } from './dump-stats.ts';
import { INVENTORY, MANIFEST } from './image-names.ts';

/** The version of the format that this version writes, and the newest that it reads. */
export const MANIFEST_VERSION = 1;
/** A manifest of more bytes is damaged: it has about 100 bytes for each file and process. */
export const MAX_MANIFEST = 64 << 20;

/** What a dump says of itself in `node-criu.json`, beside the images. */
export interface CheckpointManifest {
  /** The version of this format: 1. */
  readonly formatVersion: number;
  /** A pre-dump has memory only, and cannot be restored. */
  readonly kind: 'dump' | 'pre-dump';
  /** When the dump was made, in ISO 8601. */
  readonly createdAt: string;
  /** The host of the dump. */
  readonly host: ManifestHost;
  /** The version of CRIU, such as `4.2.0`; undefined if it was not known. */
  readonly criu?: string;
  /** The pid of the root, in its own pid namespace. */
  readonly pid: number;
  /** All processes, the root first. A pre-dump of the memory of a running tree has those of that moment. */
  readonly processes: readonly ManifestProcess[];
  /** The options of the dump, without descriptors, paths of this host, and keys. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What a restore needs. */
  readonly restore: ManifestRestore;
  /** The content of `inventory.img` in base64, by which a restore knows that this describes these images. */
  readonly inventory?: string;
  /** The path of the parent images, relative to the directory. */
  readonly parent?: string;
  /** Bytes of all files. */
  readonly bytes: number;
  /** The statistics of the dump. */
  readonly stats?: DumpStats;
  /** How the checksums of `files` were made. */
  readonly checksum: ChecksumMethod;
  /** The files of the checkpoint, by name. */
  readonly files: Readonly<Record<string, FileChecksum>>;
}

/** The host of a dump. */
export interface ManifestHost {
  /** Its host name. */
  readonly name: string;
  /** Its architecture in Node's words, such as `x64`. */
  readonly architecture: string;
  /** The release of its kernel. */
  readonly kernel: string;
  /** The kernel's id of the boot. */
  readonly bootId: string;
  /** Size of a page, in bytes. */
  readonly pageSize: number;
}

/** A process of a checkpoint. */
export interface ManifestProcess {
  /** Its pid, in its own pid namespace. */
  readonly pid: number;
  /** The pid of its parent; undefined for the root, and if it was not known. */
  readonly parent?: number;
  /** Its name; undefined if it was not known. */
  readonly name?: string;
  /** Its command line; undefined if it was not known. */
  readonly command?: readonly string[];
  /** When it was started, in ISO 8601; undefined if it was not known. */
  readonly startedAt?: string;
  /** The same in clock ticks since the boot, which tells it from any other process with its pid. */
  readonly startTicks?: number;
}

/** What a restore of a checkpoint needs. */
export interface ManifestRestore {
  /** Options that a restore has unless it is given others, such as `tcpEstablished: true`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The option `external` of the dump: what it names is provided by the restore. */
  readonly external: readonly string[];
  /** The kinds of namespaces that the root has of its own, such as `net` and `pid`. */
  readonly namespaces: readonly string[];
}

/**
 * Reads the manifest of a checkpoint; undefined if the directory has none.
 * @throws CriuError ERR_CRIU_BAD_IMAGE if it is damaged, or of a newer format
 */
export async function readManifest(directory: string): Promise<CheckpointManifest | undefined> {
  if (typeof directory !== 'string') {
    throw invalid('readManifest', 'directory', 'a path', directory);
  }
  return await manifestIn('readManifest', directory, await filesIn(directory));
}

/** The same for another operation. */
export async function manifestIn(
  operation: string,
  directory: string,
  files: Files,
): Promise<CheckpointManifest | undefined> {
  const path = join(directory, MANIFEST);
  const bad = (what: string, cause?: unknown) =>
    new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${path} ${what}`, {
      operation,
      path,
      cause,
    });
  let text: string;
  try {
    const { size } = await files.stat(path);
    if (size > MAX_MANIFEST) throw new Error(`it has ${size} bytes`);
    text = String(await files.readFile(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw (
      systemFailure(operation, cause) ?? bad(`cannot be read: ${(cause as Error).message}`, cause)
    );
  }
  try {
    return parseManifest(text);
  } catch (cause) {
    throw bad((cause as Error).message, cause);
  }
}

/** Reads the content of a manifest. @throws Error with what is wrong with it, as a predicate */
export function parseManifest(text: string): CheckpointManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`is damaged: ${(cause as Error).message}`, { cause });
  }
  const version = isObject(value) ? value.formatVersion : undefined;
  if (typeof version === 'number' && version > MANIFEST_VERSION) {
    throw new Error(`is of format ${version}, which a newer node-criu has written`);
  }
  const defect = isObject(value) ? defectOf(value) : 'it is not an object';
  if (defect) throw new Error(`is damaged: ${defect}`);
  return value as unknown as CheckpointManifest;
}

/** What a manifest says of its files. */
export function listed(
  checksum: ChecksumMethod,
  files: ReadonlyMap<string, FileChecksum>,
): Pick<CheckpointManifest, 'bytes' | 'checksum' | 'files'> {
  const bytes = [...files.values()].reduce((sum, each) => sum + each.bytes, 0);
  return { bytes, checksum, files: Object.fromEntries(files) };
}

/** The content of a manifest. */
export function formatManifest(manifest: CheckpointManifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/**
 * The options that a dump has left for its restore in the images directory.
 * @param options those of the restore so far, which are not checked yet
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function optionsLeftFor(
  operation: string,
  { imagesDirectory, manifest: isWanted, stream }: Readonly<CriuOpts>,
): Promise<CriuOpts> {
  if (
    isWanted === false ||
    stream ||
    !rowOf.get('imagesDirectory')?.[1].kind.accepts(imagesDirectory)
  )
    return {};
  const directory = directoryPath(imagesDirectory);
  try {
    const files = await filesIn(directory);
    const manifest = await manifestIn(operation, directory, files);
    if (!manifest) return {};
    if (await isOf(manifest, directory, files)) return manifest.restore.options;
    const path = join(directory, MANIFEST);
    process.emitWarning(`${path} describes other images than those beside it, and is ignored.`);
    return {};
  } catch (error) {
    if (!(error instanceof CriuError) || error.code !== 'ERR_CRIU_BAD_IMAGE') throw error;
    const { message, path, cause } = error;
    // The restore itself refuses what is no directory.
    if (noDirectory.has((cause as NodeJS.ErrnoException | undefined)?.code ?? '')) return {};
    const remedy = 'to restore without it, and name the options of the dump, set manifest: false';
    throw new CriuError(error.code, `${message}; ${remedy}`, { operation, path, cause });
  }
}

/** False if other images have taken the place of those that a manifest describes. */
async function isOf(
  { inventory }: CheckpointManifest,
  directory: string,
  files: Files,
): Promise<boolean> {
  if (inventory === undefined) return true;
  // The restore itself reports that it is missing.
  const own = await files.readFile(join(directory, INVENTORY)).catch(() => undefined);
  return own === undefined || own.toString('base64') === inventory;
}

const noDirectory: ReadonlySet<string> = new Set(['ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

type Values = Readonly<Record<string, unknown>>;
type Test = (value: unknown) => boolean;

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Test = (value) => typeof value === 'string';
const isCount: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHex = (digits: number): Test => {
  const pattern = new RegExp(`^[0-9a-f]{${digits}}$`);
  return (value) => typeof value === 'string' && pattern.test(value);
};
const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const fields =
  (tests: Readonly<Record<string, Test>>): Test =>
  (value) =>
    isObject(value) && Object.entries(tests).every(([name, test]) => test(value[name]));

/** A name from a manifest must not lead out of its directory. */
const isFileName = (name: string): boolean => name !== '' && !/^\.\.?$|[/\0]/.test(name);

const remembered: ReadonlySet<string> = new Set(rememberedOptions);
const isRemembered = ([name, value]: [string, unknown]): boolean =>
  remembered.has(name) && rowOf.get(name)?.[1].kind.accepts(value) === true;

const isAmount: Test = (value) => Number.isFinite(value) && (value as number) >= 0;
const statistics: Readonly<Record<keyof DumpStats, Test>> = {
  ...{ freezingTimeMs: isAmount, frozenTimeMs: isAmount, irmapResolveMs: optional(isAmount) },
  ...{ memdumpTimeMs: isAmount, memwriteTimeMs: isAmount },
  ...{ pagesScanned: isCount, pagesSkippedParent: isCount, pagesWritten: isCount },
  ...{ pagesLazy: isCount, pagePipes: optional(isCount), pagePipeBufs: optional(isCount) },
  ...{ shpagesScanned: optional(isCount), shpagesSkippedParent: optional(isCount) },
  ...{ shpagesWritten: optional(isCount), bytesWritten: isCount, pageSize: isCount },
};

const shape: Readonly<Record<string, Test>> = {
  formatVersion: (value) => value === MANIFEST_VERSION,
  kind: (value) => value === 'dump' || value === 'pre-dump',
  createdAt: isText,
  host: fields({
    name: isText,
    architecture: isText,
    kernel: isText,
    bootId: isText,
    pageSize: isCount,
  }),
  criu: optional(isText),
  pid: isCount,
  processes: listOf(
    fields({
      pid: isCount,
      parent: optional(isCount),
      name: optional(isText),
      command: optional(listOf(isText)),
      startedAt: optional(isText),
      startTicks: optional(isCount),
    }),
  ),
  options: isObject,
  restore: fields({
    options: (value) => isObject(value) && Object.entries(value).every(isRemembered),
    external: listOf(isText),
    namespaces: listOf(isText),
  }),
  inventory: optional(isText),
  parent: optional(isText),
  bytes: isCount,
  stats: optional(fields(statistics)),
  checksum: fields({
    algorithm: (value) => value === 'AES-128-GMAC',
    key: isHex(32),
    iv: isHex(24),
  }),
  files: (value) =>
    isObject(value) &&
    Object.keys(value).every(isFileName) &&
    Object.values(value).every(fields({ bytes: isCount, checksum: isHex(32) })),
};

/** What is wrong with a manifest; undefined if nothing is. */
function defectOf(value: Values): string | undefined {
  const name = Object.keys(shape).find((each) => !shape[each]?.(value[each]));
  if (name === undefined) return undefined;
  return value[name] === undefined ? `it has no ${name}` : `its ${name} has a wrong value`;
}
