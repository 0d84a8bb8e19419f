import type { Readable } from 'node:stream';
import type { CriuLog, ExitStatus } from '../errors.ts';
import type { RestoreStats } from '../images/stats.ts';
import type { DumpResult } from '../operations/dump.ts';
import type { RestoredProcess } from '../operations/restored-process.ts';
import { terminate } from '../process/terminate.ts';
import { type CopyDumpOptions, type DumpablePart, dumpCopy } from './copy-dump.ts';
import type { PortForwarder, TakenPort } from './port-forwarder.ts';

/** What a copy is made of. */
export interface CopyParts {
  readonly id: string;
  readonly name: string;
  readonly root: RestoredProcess;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly forwarder: PortForwarder | undefined;
  readonly part: DumpablePart;
  /** Releases what the copy has needed while it ran. */
  release(): void;
}

/**
 * A running copy of a template. It is the init of a pid namespace: it forwards signals to the program, ends with it,
 * and ends all processes of the namespace. The copy keeps running when this process ends, but its published ports
 * are then closed.
 */
export class TemplateCopy implements AsyncDisposable {
  /** Tells it apart from all others. */
  readonly id: string;
  /** The name that it was given; else its id. */
  readonly name: string;
  /** The ports that were taken for the option `publish`, in its order. */
  readonly published: readonly TakenPort[];
  /** What it writes to its standard output, if that is `'pipe'`. Read it to its end, or {@link TemplateCopy.close} the copy. */
  readonly stdout: Readable | undefined;
  /** What it writes to its standard error, if that is `'pipe'`. */
  readonly stderr: Readable | undefined;
  readonly #parts: CopyParts;
  readonly #released: Promise<void>;

  /** @internal */
  constructor(parts: CopyParts) {
    this.id = parts.id;
    this.name = parts.name;
    this.published = parts.forwarder?.ports ?? [];
    this.stdout = parts.stdout;
    this.stderr = parts.stderr;
    this.#parts = parts;
    this.#released = parts.root.ended.then(() => {
      parts.forwarder?.close();
      parts.release();
    });
  }

  /** The pid of its init, in the pid namespace of this process. */
  get pid(): number {
    return this.#parts.root.pid;
  }

  /** CRIU's statistics of the restore. */
  get stats(): RestoreStats {
    return this.#parts.root.stats;
  }

  /** CRIU's log of the restore. */
  get log(): CriuLog | undefined {
    return this.#parts.root.log;
  }

  /**
   * Resolves when the copy has ended, with the exit code of the program, or 128 and the number of the signal that
   * ended the program. `signal` is set only if the init itself was killed. Awaiting it keeps Node running.
   */
  get exited(): Promise<ExitStatus> {
    return this.#parts.root.exited;
  }

  /**
   * Sends a signal to the program; SIGKILL ends all processes of the copy.
   * @returns true if the copy was running
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
   */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    return this.#parts.root.kill(signal);
  }

  /**
   * Makes a checkpoint of the copy, which is a template as well. The copy ends, unless `leaveRunning` is true.
   * @throws CriuError as {@link Criu.dump} does
   */
  async dump(options: CopyDumpOptions): Promise<DumpResult> {
    return await dumpCopy(this.#parts.part, this.pid, options);
  }

  /** Ends the copy: with SIGTERM, and with SIGKILL after 5 seconds. Idempotent. */
  async close(): Promise<void> {
    await terminate((number) => this.kill(number), this.exited);
    await this.#released;
    await this.#parts.part.memory;
    // A stream that is being read ends by itself.
    for (const stream of [this.stdout, this.stderr]) {
      if (stream?.readableFlowing === null) stream.destroy();
    }
  }

  /** The same as {@link TemplateCopy.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
