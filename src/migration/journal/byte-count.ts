import { constants } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const INTERVAL_MS = 1000;
const DIGITS = 16;

const pathIn = (images: string) => join(images, 'bytes');

/**
 * Writes how many bytes a migration has moved into a file beside its images, every second, for processes that
 * list the migrations of this host. The file goes with the images.
 */
export class ByteCount implements AsyncDisposable {
  readonly #images: string;
  readonly #count: () => number;
  readonly #timer: NodeJS.Timeout;
  #written = -1;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(images: string, count: () => number) {
    this.#images = images;
    this.#count = count;
    this.#timer = setInterval(() => this.#update(), INTERVAL_MS).unref();
  }

  #update(): void {
    const bytes = this.#count();
    if (bytes === this.#written) return;
    this.#written = bytes;
    // In place and always as long: a reader never finds a part of the number.
    const flag = constants.O_WRONLY | constants.O_CREAT;
    const text = String(bytes).padStart(DIGITS);
    this.#lastWrite = this.#lastWrite
      .then(() => writeFile(pathIn(this.#images), text, { flag, mode: 0o600 }))
      // The directory may not exist yet, and the disk may be full: the number is for information only.
      .catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#lastWrite;
  }
}

/** The number in the file beside these images; undefined if there is none. */
export async function readByteCount(images: string): Promise<number | undefined> {
  const text = await readFile(pathIn(images), 'utf8').catch(() => '');
  return text === '' ? undefined : Number(text);
}
