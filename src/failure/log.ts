import { open } from 'node:fs/promises';
import type { CriuLog } from '../errors.ts';
import { type Files, remoteFiles } from '../process/files.ts';

/** How much of the end of a log is searched for errors, in bytes. */
const SEARCHED = 256 * 1024;
const LINES_KEPT = 20;
const BEGINNING = 4096;

/** A log file that CRIU is about to write. */
export class LogFile {
  readonly path: string;
  readonly #before: string | undefined;
  readonly #files: Files;

  private constructor(path: string, before: string | undefined, files: Files) {
    this.path = path;
    this.#before = before;
    this.#files = files;
  }

  /** Remembers the file as it is before CRIU runs. */
  static async at(path: string, files: Files = remoteFiles): Promise<LogFile> {
    return new LogFile(path, await fingerprint(path, files), files);
  }

  /** The log of this run; undefined if CRIU wrote none, even if the file of an earlier run exists. */
  async read(): Promise<CriuLog | undefined> {
    const text = await this.#tail();
    return text === undefined ? undefined : { path: this.path, errors: errorLines(text) };
  }

  /** True if the log of this run contains the text. {@link read} returns errors only, no warnings. */
  async says(text: string): Promise<boolean> {
    return (await this.#tail())?.includes(text) ?? false;
  }

  /** The first 4 KiB of the log of this run; empty if CRIU wrote none. */
  async beginning(): Promise<string> {
    if ((await this.read()) === undefined) return '';
    return await beginningOf(this.path);
  }

  /** The end of the log of this run; undefined if CRIU wrote none. */
  async #tail(): Promise<string | undefined> {
    const now = await fingerprint(this.path, this.#files);
    if (now === undefined || now === this.#before) return undefined;
    // A log that cannot be read must not hide the failure that it would have explained.
    return await this.#files.readEnd(this.path, SEARCHED).catch(() => '');
  }
}

/** The first 4 KiB of a log; empty if it cannot be read. */
export async function beginningOf(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}

/** The error messages in a log, without time, pid and source location. */
export function errorLines(text: string): string[] {
  return (
    [...text.matchAll(/^.*?(?:(No \S+ image)\n.*?)?Error \([^()\n]*\): (.*)$/gm)]
      // CRIU names the missing image one line earlier, in a line that is no error.
      .map(([, image, message = '']) =>
        image && message.includes('(empty-image)') ? image : message.trim(),
      )
      .slice(-LINES_KEPT)
  );
}

async function fingerprint(path: string, files: Files): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs } = await files.statExactly(path);
    return [ino, size, mtimeNs].join();
  } catch {
    return undefined;
  }
}
