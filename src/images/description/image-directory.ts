import type { Stats } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError, invalid } from '../../errors.ts';
import { eachOf, statOf } from '../../procfs/read.ts';
import { decodeImage, type ImageEntry } from '../decode-image.ts';
import type { ImageKind } from '../image-kinds.ts';
import { ENCRYPTED_TEMPLATE, INVENTORY } from '../image-names.ts';

/** The largest image that is held in memory, in bytes. Those with payloads may be larger, and pages are. */
const MAX_IMAGE = 64 * 1024 * 1024;
/** The most entries of an image that are held in memory. */
const MAX_ENTRIES = 1_000_000;

/** Kinds with payloads, which stay in the file. */
const HAS_PAYLOADS: ReadonlySet<ImageKind> = new Set([
  ...(['GHOST_FILE', 'PIPES_DATA', 'FIFO_DATA', 'SK_QUEUES', 'TCP_STREAM'] as const),
]);

/** The images in a directory, of which each is read when it is needed, in bounded memory. */
export class ImageDirectory {
  /** The real path. */
  readonly path: string;
  readonly names: ReadonlySet<string>;
  /** The sizes of the files, in bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  /** When the inventory was written, which CRIU does last. */
  readonly writtenAt: Date;
  readonly #operation: string;

  private constructor(
    operation: string,
    path: string,
    names: readonly string[],
    files: ReadonlyMap<string, Stats>,
  ) {
    this.#operation = operation;
    this.path = path;
    this.names = new Set(names);
    this.sizes = new Map([...files].map(([name, { size }]) => [name, size]));
    this.writtenAt = files.get(INVENTORY)?.mtime ?? new Date(0);
  }

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_BAD_IMAGE if it is no directory with images */
  static async open(operation: string, directory: string): Promise<ImageDirectory> {
    if (typeof directory !== 'string' || directory === '') {
      throw invalid(operation, 'directory', 'a path', directory);
    }
    let isEncrypted = false;
    try {
      const path = await realpath(directory);
      const names = await readdir(path);
      const files = await eachOf(names, async (name) => {
        const stats = await statOf(join(path, name));
        return stats?.isFile() ? ([name, stats] as const) : undefined;
      });
      const images = new ImageDirectory(operation, path, names, new Map(files));
      if (images.names.has(INVENTORY)) return images;
      isEncrypted = images.names.has(ENCRYPTED_TEMPLATE);
    } catch (cause) {
      throw bad(operation, directory, `cannot be read: ${(cause as Error).message}`, cause);
    }
    const what = isEncrypted
      ? ': it holds an encrypted template'
      : ', without which it is no checkpoint';
    throw bad(operation, directory, `has no ${INVENTORY}${what}`);
  }

  /**
   * Reads the entries of an image.
   * @returns none if the file does not exist, because CRIU writes most images only if they have entries
   * @throws CriuError ERR_CRIU_BAD_IMAGE
   */
  async read<Kind extends ImageKind>(name: string, kind: Kind): Promise<ImageEntry<Kind>[]> {
    if (!this.names.has(name)) return [];
    const path = join(this.path, name);
    const size = this.sizes.get(name) ?? 0;
    const isTooLarge = size > MAX_IMAGE && !HAS_PAYLOADS.has(kind);
    if (isTooLarge) throw bad(this.#operation, path, `has ${size} bytes, which are too many`);
    const entries: ImageEntry<Kind>[] = [];
    for await (const entry of decodeImage(path, { kind })) {
      if (entries.length === MAX_ENTRIES) throw bad(this.#operation, path, 'has too many entries');
      entries.push(entry);
    }
    return entries;
  }

  /** Reads the messages of an image; none if the file does not exist. */
  async messages<Kind extends ImageKind>(
    name: string,
    kind: Kind,
  ): Promise<ImageEntry<Kind>['message'][]> {
    return (await this.read(name, kind)).map(({ message }) => message);
  }

  /** Reads the first message of an image; undefined if there is none. */
  async first<Kind extends ImageKind>(
    name: string,
    kind: Kind,
  ): Promise<ImageEntry<Kind>['message'] | undefined> {
    return (await this.messages(name, kind))[0];
  }

  /** Reads the first message of an image that must exist. */
  async required<Kind extends ImageKind>(
    name: string,
    kind: Kind,
  ): Promise<ImageEntry<Kind>['message']> {
    const first = await this.first(name, kind);
    if (first) return first;
    const what = this.names.has(name) ? 'has no entries' : 'is missing';
    throw bad(this.#operation, join(this.path, name), what);
  }
}

function bad(operation: string, path: string, why: string, cause?: unknown): CriuError {
  const details = { operation, path, cause };
  return new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${path} ${why}`, details);
}
