import { read, write } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CriuError } from '../../errors.ts';
import { flagsOf, pagemapsIn, readPagemap } from '../../images/pagemap.ts';
import { native } from '../../native/index.ts';
import {
  addMessage,
  endMessage,
  openMessage,
  processPages,
  sharedPages,
} from '../../postcopy/page-protocol.ts';
import type { PageSink } from './page-sink.ts';
import type { ProcessPages } from './tree-copy.ts';

const readFrom = promisify(read);
const writeTo = promisify(write);

/** CRIU's answer at the end of a round: zero, or why it failed. */
const STATUS_SIZE = 4;
/** How much of shared memory is read at once. */
const CHUNK_BYTES = 1 << 20;

/** Sends the pages of a round to CRIU's page server. */
export class PageServerStream implements PageSink {
  readonly #fd: number;
  /** The process whose pages were sent last. */
  #id: number | undefined;

  /** @param fd a connection to the page server, in blocking mode; it stays open for the next round */
  constructor(fd: number) {
    this.#fd = fd;
  }

  async add({ id, copy, entries }: ProcessPages): Promise<void> {
    const destination = processPages(id);
    if (this.#id !== id) await this.#send(openMessage(destination));
    this.#id = id;
    await copy.write(this.#fd, entries, destination);
  }

  /** Sends the pages of shared memory that CRIU has written to a directory, and removes them there. */
  async moveShared(directory: string): Promise<void> {
    for (const [id, pagemap] of await pagemapsIn(directory, 'shared')) {
      const { pagesFile, ranges } = await readPagemap(pagemap);
      const path = join(directory, pagesFile);
      await using pages = await open(path);
      await this.#send(openMessage(sharedPages(id)));
      for (const range of ranges) {
        const { start, count, present } = range;
        await this.#send(addMessage(sharedPages(id), [start, count, flagsOf(range)]));
        if (!present) continue;
        for (let left = count * native().pageSize; left > 0; ) {
          const { buffer, bytesRead } = await pages.read({
            buffer: Buffer.alloc(Math.min(left, CHUNK_BYTES)),
          });
          if (bytesRead === 0) throw new Error(`${path} is too short`);
          await this.#send(buffer.subarray(0, bytesRead));
          left -= bytesRead;
        }
      }
      await unlink(pagemap);
      await unlink(path);
    }
  }

  async finish(): Promise<void> {
    await this.#send(endMessage());
    const answer = Buffer.alloc(STATUS_SIZE);
    for (let at = 0; at < STATUS_SIZE; ) {
      const { bytesRead } = await readFrom(this.#fd, answer, at, STATUS_SIZE - at, null);
      if (bytesRead === 0) throw failed('ended the connection');
      at += bytesRead;
    }
    const status = answer.readInt32LE();
    if (status !== 0) throw failed(`failed with the status ${status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #send(message: Buffer): Promise<void> {
    for (let at = 0; at < message.length; ) {
      const { bytesWritten } = await writeTo(this.#fd, message, at, message.length - at, null);
      at += bytesWritten;
    }
  }
}

function failed(what: string): CriuError {
  return new CriuError('ERR_CRIU_FAILED', `the page server ${what}: see its log`);
}
