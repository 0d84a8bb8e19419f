import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { ChecksumMethod, FileChecksum } from '../images/checksum.ts';
import { nativeChecksums } from '../images/file-checksums.ts';
import { isPagesFile } from '../images/pagemap.ts';
import type { CriuOpts } from '../options/types.ts';
import { type Files, localFiles } from '../process/files.ts';

/** Less memory is read in a few milliseconds once it is written. */
const WORTHWHILE = 8 << 20;
/** How much earlier than its last change a file is marked to have been changed. */
const MARK_MS = 1;

/**
 * The checksums of files of pages, made while CRIU writes them. CRIU appends to one file after the other: what was
 * read once does not change any more.
 */
export class FollowedPages implements Disposable {
  readonly #directory: string;
  readonly #checksums;
  #isFollowing = false;
  /** The times of the last change of the files, if hooks may change them after CRIU. */
  #marks: ReadonlyMap<string, bigint> | undefined;

  /**
   * True if there is enough memory, and CRIU appends it to local files.
   * @param memory bytes of it
   * @param files how to make calls on files in the directory of the images
   */
  static isWorthwhile(options: CriuOpts, memory: number, files: Files): boolean {
    const { pageServer, lazyPages, compress, imageIoMode } = options;
    // A file that grows on another host or in a program may have a size before it has the content.
    const isAppended = !pageServer && !lazyPages && !compress && imageIoMode === undefined;
    return isAppended && memory >= WORTHWHILE && files === localFiles;
  }

  constructor(directory: string, method: ChecksumMethod) {
    this.#directory = directory;
    this.#checksums = nativeChecksums(method);
  }

  /** Begins to read. Idempotent. */
  start(): void {
    if (this.#isFollowing || !this.#checksums) return;
    this.#isFollowing = true;
    try {
      this.#checksums.follow(this.#directory);
    } catch {
      // Without a thread or a descriptor, the files are read once they are complete.
      this.#isFollowing = false;
    }
  }

  /** CRIU has written all. */
  end(hasHooks: boolean): void {
    if (!this.#isFollowing || !hasHooks) return;
    try {
      this.#marks = markFiles(this.#directory);
    } catch {
      // Nothing is known of files that cannot be marked.
      this.#marks = new Map();
    }
  }

  /**
   * The checksums of the files that are as CRIU has written them.
   * @param directory where they are now
   */
  async read(directory: string, files: Files): Promise<Map<string, FileChecksum>> {
    const checksums = new Map<string, FileChecksum>();
    if (!this.#isFollowing || !this.#checksums) return checksums;
    this.#isFollowing = false;
    for (const { name, inode, bytes, checksum } of await this.#checksums.followed()) {
      const now = await files.statExactly(join(directory, name)).catch(() => undefined);
      const isSame = now?.size === BigInt(bytes) && Number(now.ino) === inode;
      if (isSame && (this.#marks === undefined || this.#marks.get(name) === now.mtimeNs)) {
        checksums.set(name, { bytes, checksum });
      }
    }
    this.#checksums.close();
    return checksums;
  }

  /** Stops to read. Idempotent. */
  [Symbol.dispose](): void {
    this.#checksums?.close();
  }
}

/**
 * Sets the times of the last change of the files of pages a bit back, so that any later change is seen, also one in
 * the same tick of the file system's clock. Returns these times.
 */
function markFiles(directory: string): Map<string, bigint> {
  const marks = new Map<string, bigint>();
  for (const name of readdirSync(directory).filter(isPagesFile)) {
    const path = join(directory, name);
    const { atimeMs, mtimeMs } = statSync(path);
    utimesSync(path, atimeMs / 1000, (mtimeMs - MARK_MS) / 1000);
    marks.set(name, statSync(path, { bigint: true }).mtimeNs);
  }
  return marks;
}
