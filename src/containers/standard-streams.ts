import { type FileHandle, open } from 'node:fs/promises';
import { asCriuError, invalid } from '../errors.ts';
import type { DescriptorLike } from '../index.ts';
import { check } from '../options/check.ts';
import { descriptorOf } from '../options/kinds.ts';

/** What a standard stream of a restored container is. */
export type ContainerStream = 'ignore' | 'inherit' | DescriptorLike;

const NAMES = ['stdin', 'stdout', 'stderr'] as const;

/** The three streams, or one value for all. */
export const streams = check(
  "'ignore', 'inherit', or an array of three of these or of descriptors",
  (value) =>
    value === 'ignore' || value === 'inherit' || (Array.isArray(value) && value.length === 3),
);

/** The descriptors of a container's standard streams, while it is restored. */
export class StandardStreams implements AsyncDisposable {
  /** Those of stdin, stdout and stderr. */
  readonly fds: readonly [number, number, number];
  readonly #opened: FileHandle | undefined;

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_SYSTEM */
  static async open(
    operation: string,
    given: ContainerStream | readonly ContainerStream[] = 'ignore',
  ): Promise<StandardStreams> {
    const wanted = Array.isArray(given) ? given : [given, given, given];
    const ignored = wanted.includes('ignore')
      ? await open('/dev/null', 'r+').catch((error: unknown) => {
          throw asCriuError(operation, error);
        })
      : undefined;
    try {
      const fds = NAMES.map((name, index) => {
        const one: ContainerStream = wanted[index];
        if (one === 'ignore') return ignored?.fd ?? -1;
        if (one === 'inherit') return index;
        const fd = descriptorOf(one);
        if (fd !== undefined) return fd;
        throw invalid(operation, `stdio.${name}`, "'ignore', 'inherit' or an open descriptor", one);
      });
      return new StandardStreams(fds as unknown as [number, number, number], ignored);
    } catch (error) {
      await ignored?.close();
      throw error;
    }
  }

  private constructor(fds: readonly [number, number, number], opened: FileHandle | undefined) {
    this.fds = fds;
    this.#opened = opened;
  }

  /** The replacements of the streams that led out of the container, by CRIU's names of them. */
  replacing(streams: readonly (string | undefined)[]): Record<string, number> {
    const replaced: Record<string, number> = {};
    for (const [index, fd] of this.fds.entries()) {
      const name = streams[index];
      if (name !== undefined) replaced[name] ??= fd;
    }
    return replaced;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened?.close();
  }
}
