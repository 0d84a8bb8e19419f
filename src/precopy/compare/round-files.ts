import { type FileHandle, open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inventory_entry } from '../../generated/images/inventory.ts';
import { imageOf } from '../../images/image-file.ts';
import { INVENTORY } from '../../images/image-names.ts';
import { pagemapFileOf, pagemapOf, pagesFileOf } from '../../images/pagemap.ts';
import type { PageEntries } from '../../native/index.ts';
import { encode } from '../../protobuf/encode.ts';
import type { PageSink } from './page-sink.ts';
import type { ProcessPages } from './tree-copy.ts';

/** CRTOOLS_IMAGES_V1_1 of CRIU. */
const IMAGES_VERSION = 2;
const NEW_FILE = { flag: 'wx', mode: 0o600 } as const;

/** The files of one process in a round. */
interface ProcessFiles {
  readonly pagesId: number;
  readonly pages: FileHandle;
  readonly entries: PageEntries[];
}

/** Writes pages as CRIU's images: a pagemap and a file of pages for each process. */
export class RoundFiles implements PageSink {
  readonly #directory: string;
  readonly #pagesIds: ReadonlyMap<number, number> | undefined;
  readonly #files = new Map<number, ProcessFiles>();

  /** @param pagesIds the numbers of the pages files by process, if other files in the directory have numbers too */
  constructor(directory: string, pagesIds?: ReadonlyMap<number, number>) {
    this.#directory = directory;
    this.#pagesIds = pagesIds;
  }

  async add({ id, copy, entries }: ProcessPages): Promise<void> {
    const files = this.#files.get(id) ?? (await this.#open(id));
    await copy.write(files.pages.fd, entries, 0);
    files.entries.push(entries);
  }

  async finish(): Promise<void> {
    for (const [id, { pagesId, entries }] of this.#files) {
      const path = join(this.#directory, pagemapFileOf(id));
      await writeFile(path, pagemapOf(pagesId, entries), NEW_FILE);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pages } of this.#files.values()) await pages.close();
  }

  async #open(id: number): Promise<ProcessFiles> {
    const pagesId = this.#pagesIds?.get(id) ?? this.#files.size + 1;
    const path = join(this.#directory, pagesFileOf(pagesId));
    const files = { pagesId, pages: await open(path, NEW_FILE.flag, NEW_FILE.mode), entries: [] };
    this.#files.set(id, files);
    return files;
  }
}

/**
 * Completes the images of a round: nobody takes a directory without an inventory for one.
 * @param parentImage the path of the round before, relative to the directory
 * @param inventory the inventory that CRIU wrote; a pre-dump has only the version of the format
 */
export async function completeRound(
  directory: string,
  parentImage: string | undefined,
  inventory: Uint8Array = imageOf('INVENTORY', [
    encode(inventory_entry, { img_version: IMAGES_VERSION }),
  ]),
): Promise<void> {
  if (parentImage) await symlink(parentImage, join(directory, 'parent'));
  await writeFile(join(directory, INVENTORY), inventory, NEW_FILE);
}
