import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtins } from '../builtins.ts';
import { asCriuError } from '../errors.ts';
import { namesOfStreams, type StreamNames } from './stream-names.ts';

/** The last bytes of the output that an error quotes. */
const QUOTED = 4096;

/**
 * The standard streams of the program of a template. What it writes goes to files without names: programs write to
 * a file with plain calls, which work as well with whatever a copy has in its place.
 */
export class ProgramOutput implements AsyncDisposable {
  readonly #writers: readonly FileHandle[];
  readonly #stdout: FileHandle;
  readonly #stderr: FileHandle;

  /** @throws CriuError ERR_CRIU_SYSTEM */
  static async open(operation: string): Promise<ProgramOutput> {
    const opened: FileHandle[] = [];
    try {
      opened.push(await open('/dev/null', 'r'));
      const stdout = await unnamedFile();
      opened.push(stdout.reader, stdout.writer);
      const stderr = await unnamedFile();
      return new ProgramOutput(opened[0] as FileHandle, stdout, stderr);
    } catch (error) {
      await Promise.all(opened.map((file) => file.close()));
      throw asCriuError(operation, error);
    }
  }

  private constructor(stdin: FileHandle, stdout: UnnamedFile, stderr: UnnamedFile) {
    this.#writers = [stdin, stdout.writer, stderr.writer];
    this.#stdout = stdout.reader;
    this.#stderr = stderr.reader;
  }

  /** `[number in the program, number here]`. */
  get descriptors(): readonly (readonly [number, number])[] {
    return this.#writers.map(({ fd }, number) => [number, fd] as const);
  }

  async names(): Promise<StreamNames> {
    return await namesOfStreams(this.#writers);
  }

  /** True if a stream has the text in a line that is complete. */
  async hasLine(text: string): Promise<boolean> {
    const texts = await Promise.all([readAll(this.#stdout), readAll(this.#stderr)]);
    return texts.some((written) => {
      const complete = written.subarray(0, written.lastIndexOf('\n') + 1);
      return complete.includes(text);
    });
  }

  /** The end of what was written to standard error. */
  async tail(): Promise<string> {
    const written = await readAll(this.#stderr);
    return written.subarray(-QUOTED).toString().trimEnd();
  }

  /** All that was written to each stream. */
  async read(): Promise<{ readonly stdout: Buffer; readonly stderr: Buffer }> {
    return { stdout: await readAll(this.#stdout), stderr: await readAll(this.#stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#writers, this.#stdout, this.#stderr].map((file) => file.close()));
  }
}

interface UnnamedFile {
  readonly writer: FileHandle;
  readonly reader: FileHandle;
}

/** A file without a name, of which the program gets a descriptor that it can only append to. */
async function unnamedFile(): Promise<UnnamedFile> {
  const path = join(tmpdir(), `node-criu-${builtins.crypto.randomUUID()}`);
  const writer = await open(path, 'ax', 0o600);
  try {
    return { writer, reader: await open(path, 'r') };
  } catch (error) {
    await writer.close();
    throw error;
  } finally {
    await rm(path);
  }
}

async function readAll(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size);
  const { bytesRead } = await file.read(bytes, 0, size, 0);
  return bytes.subarray(0, bytesRead);
}
