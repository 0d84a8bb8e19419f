import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST } from '../../../images/image-names.ts';
import { NOTE } from './checkpoint-note.ts';

/** The names that CRIU gives to images, including archives of a tmpfs: no separators, no dots but at the end. */
const IMAGE = /^[A-Za-z0-9_-]{1,64}(\.tar\.gz)?\.img$/;
const OTHERS: ReadonlySet<string> = new Set([
  ...[MANIFEST, NOTE, 'irmap-cache', 'stats-dump'],
  // What is known of a container besides.
  ...['container.json', 'descriptors.json'],
]);
/** A checkpoint of 10,000 processes has fewer, and a receiver keeps a set of their names. */
const MAX_FILES = 200_000;
/** The longest header: a size, a space, a name and the end of the line. */
const MAX_HEADER = 128;

/** A file of a checkpoint that is sent. */
export interface SentFile {
  readonly name: string;
  readonly size: number;
  readonly file: FileHandle;
}

/** True for the files that a checkpoint may have at another host. */
export function isCheckpointName(name: string): boolean {
  return IMAGE.test(name) || OTHERS.has(name);
}

/** The names of the files of a checkpoint that are sent: not its logs. */
export async function namesToSend(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter(isCheckpointName);
}

/** The line before the content of a file. */
export function headerOf({ name, size }: Pick<SentFile, 'name' | 'size'>): Buffer {
  return Buffer.from(`${size} ${name}\n`);
}

/**
 * Writes the files of a stream into a new directory: of each a line with its size and its name, then its content. Nothing
 * replaces a file or follows a link, and nothing has another name than CRIU and the agent give.
 * @throws Error that says what is wrong with the stream
 */
export async function receiveFiles(
  body: AsyncIterable<Uint8Array>,
  directory: string,
): Promise<void> {
  const reader = new FileReader(directory);
  try {
    for await (const chunk of body) await reader.take(Buffer.from(chunk));
    reader.requireEnd();
  } finally {
    await reader.close();
  }
}

class FileReader {
  readonly #directory: string;
  readonly #names = new Set<string>();
  #header = Buffer.alloc(0);
  #current: { readonly file: FileHandle; left: number } | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async take(chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#current ? await this.#content(this.#current, rest) : await this.#line(rest);
    }
  }

  async #content(current: { file: FileHandle; left: number }, chunk: Buffer): Promise<Buffer> {
    const part = chunk.subarray(0, current.left);
    await current.file.appendFile(part);
    current.left -= part.length;
    if (current.left === 0) await this.#endFile(current.file);
    return chunk.subarray(part.length);
  }

  async #line(chunk: Buffer): Promise<Buffer> {
    const end = chunk.indexOf('\n');
    const part = end < 0 ? chunk : chunk.subarray(0, end);
    this.#header = Buffer.concat([this.#header, part.subarray(0, MAX_HEADER)]);
    if (this.#header.length >= MAX_HEADER) throw new Error('the header of a file is too long');
    if (end < 0) return chunk.subarray(chunk.length);
    const [, size, name = ''] = /^(\d{1,15}) (.+)$/.exec(this.#header.toString('latin1')) ?? [];
    this.#header = Buffer.alloc(0);
    if (size === undefined) throw new Error('the header of a file is not "SIZE NAME"');
    await this.#begin(name, Number(size));
    return chunk.subarray(end + 1);
  }

  async #begin(name: string, size: number): Promise<void> {
    if (!isCheckpointName(name)) throw new Error('a file name is not one of a checkpoint');
    if (this.#names.has(name)) throw new Error(`${name} comes twice`);
    if (this.#names.size >= MAX_FILES) throw new Error('there are too many files');
    this.#names.add(name);
    const flags =
      constants.O_WRONLY |
      constants.O_CREAT |
      constants.O_EXCL |
      constants.O_APPEND |
      constants.O_NOFOLLOW;
    const file = await open(join(this.#directory, name), flags, 0o600);
    this.#current = { file, left: size };
    if (size === 0) await this.#endFile(file);
  }

  async #endFile(file: FileHandle): Promise<void> {
    await file.sync();
    await file.close();
    this.#current = undefined;
  }

  requireEnd(): void {
    if (this.#current || this.#header.length > 0) throw new Error('the last file is incomplete');
  }

  async close(): Promise<void> {
    await this.#current?.file.close();
    this.#current = undefined;
  }
}

/** Opens the files of a checkpoint, so that their sizes stay true while they are sent. */
export async function openFiles(directory: string): Promise<SentFile[] & AsyncDisposable> {
  const opened: SentFile[] = [];
  const dispose = async () => {
    for (const { file } of opened) await file.close().catch(() => {});
  };
  try {
    for (const name of await namesToSend(directory)) {
      const file = await open(join(directory, name), constants.O_RDONLY | constants.O_NOFOLLOW);
      opened.push({ name, file, size: 0 });
      const { size } = await file.stat();
      opened[opened.length - 1] = { name, file, size };
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return Object.assign(opened, { [Symbol.asyncDispose]: dispose });
}
