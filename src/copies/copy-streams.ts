import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { asCriuError, invalid } from '../errors.ts';
import { native } from '../native/index.ts';
import { descriptorOf } from '../options/kinds.ts';
import type { CopyOptions, CopyOutput } from './copy-options.ts';
import { namesOfStreams, type StreamNames } from './stream-names.ts';

/** A standard stream of a copy: the descriptor that it gets, and the other end of a pipe. */
interface Stream {
  readonly fd: number;
  readonly readable?: Readable;
  close(): Promise<void> | void;
}

/** The standard streams of a copy while it is restored. */
export class CopyStreams implements AsyncDisposable {
  readonly #streams: readonly Stream[];

  /** @throws CriuError ERR_CRIU_SYSTEM */
  static async open(operation: string, { stdout, stderr }: CopyOptions): Promise<CopyStreams> {
    const streams: Stream[] = [];
    try {
      streams.push(await openFile('/dev/null', 'r'));
      streams.push(await openOutput(operation, 'stdout', stdout));
      streams.push(await openOutput(operation, 'stderr', stderr));
      return new CopyStreams(streams);
    } catch (error) {
      await Promise.all(streams.map((stream) => stream.close()));
      for (const { readable } of streams) readable?.destroy();
      throw asCriuError(operation, error);
    }
  }

  private constructor(streams: readonly Stream[]) {
    this.#streams = streams;
  }

  get stdout(): Readable | undefined {
    return this.#streams[1]?.readable;
  }

  get stderr(): Readable | undefined {
    return this.#streams[2]?.readable;
  }

  /** For the option inheritFd, by CRIU's names of the streams of the template. */
  inherited({ stdin, stdout, stderr }: StreamNames): Record<string, number> {
    const fds = this.#streams.map(({ fd }) => fd);
    return Object.fromEntries(
      [stdin, stdout, stderr].map((name, index) => [name, fds[index] ?? -1]),
    );
  }

  /** CRIU's names of them, for a dump of the copy. */
  async names(): Promise<StreamNames> {
    return await namesOfStreams(this.#streams);
  }

  /** Gives up the ends of pipes that the copy does not need, because it does not run. */
  destroy(): void {
    for (const { readable } of this.#streams) readable?.destroy();
  }

  /** Closes the descriptors of the copy, which has its own by now. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.close()));
  }
}

async function openOutput(
  operation: string,
  option: string,
  target: CopyOutput = 'ignore',
): Promise<Stream> {
  if (target === 'ignore') return await openFile('/dev/null', 'w');
  if (target === 'pipe') return openPipe();
  if (typeof target === 'string') return await openFile(target, 'a');
  const fd = descriptorOf(target) ?? -1;
  if (fstatSync(fd).isSocket()) {
    throw invalid(operation, option, 'a descriptor of a file, a pipe or a terminal', target);
  }
  return { fd, close: () => {} };
}

async function openFile(path: string, flags: string): Promise<Stream> {
  const file: FileHandle = await open(path, flags, 0o600);
  return { fd: file.fd, close: () => file.close() };
}

function openPipe(): Stream {
  const [readEnd, writeEnd] = native().pipe();
  native().release(readEnd);
  const readable = new Socket({ fd: readEnd, readable: true, writable: false });
  return { fd: writeEnd, readable, close: () => native().close(writeEnd) };
}
