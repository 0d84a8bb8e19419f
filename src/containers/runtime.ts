import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { within } from '../concurrency/deadline.ts';
import { findExecutable } from '../process/executable.ts';
import { handleOf, type ProcessIdentity } from '../process/process-identity.ts';
import { fileId, programOf } from '../procfs/program.ts';
import { readStatSync } from '../procfs/stat.ts';
import { containerFailure } from './container-failure.ts';

const run = promisify(execFile);

/** How long a runtime in the foreground may take to remove its container: its hooks run as well. */
const RUNNER_LIMIT_MS = 10_000;

/** The part of a container that names it. */
interface Named {
  readonly root: string;
  readonly id: string;
}

/** A container runtime with the command line of runc. */
export class Runtime {
  readonly path: string;

  /** @throws CriuError ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION */
  static async of(operation: string, name: string): Promise<Runtime> {
    const advice = '; install it, or name it by the option runtime';
    return new Runtime((await findExecutable(operation, name, { advice })).path);
  }

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * The process of this runtime, such as `runc run` without `--detach`, that has started a container and removes it when
   * it has ended; undefined for a container in the background.
   * @param pid the first process of the container
   */
  runnerOf(pid: number): ProcessIdentity | undefined {
    const parent = readStatSync(pid)?.parent ?? 0;
    const stat = parent > 0 ? readStatSync(parent) : undefined;
    if (!stat || programOf(parent) !== fileId(this.path)) return undefined;
    return { pid: parent, startTime: stat.startTime };
  }

  /**
   * Removes a container that has ended. Leaves that to its runner, for which it waits: if both removed it, the later one
   * might remove the next container with its id, and hooks would run twice.
   * @throws CriuError ERR_CRIU_CONTAINER
   */
  async delete(operation: string, container: Named, runner?: ProcessIdentity): Promise<void> {
    const handle = runner && handleOf(runner);
    if (handle) await within(RUNNER_LIMIT_MS, handle.ended);
    await this.#remove(operation, container);
  }

  /** Ends what a restore that failed may have left of a container. @throws CriuError ERR_CRIU_CONTAINER */
  async remove(operation: string, container: Named): Promise<void> {
    await this.#remove(operation, container, '--force');
  }

  async #remove(operation: string, container: Named, ...flags: string[]): Promise<void> {
    const isKnown = () => existsSync(join(container.root, container.id));
    if (!isKnown()) return;
    await this.#call(operation, container, 'delete', ...flags).catch((error: unknown) => {
      if (isKnown()) throw error;
    });
  }

  async #call(operation: string, { root, id }: Named, ...command: string[]): Promise<void> {
    try {
      await run(this.path, ['--root', root, ...command, '--', id]);
    } catch (cause) {
      const { stderr = '', message } = cause as Error & { readonly stderr?: string };
      const reason = lastMessage(stderr) || message;
      throw containerFailure(operation, id, `${this.path} ${command.join(' ')}: ${reason}`, {
        cause,
      });
    }
  }
}

/** The runtime to use by default, if there is one; a name that the caller gives must exist. */
export async function findRuntime(
  operation: string,
  given: string | undefined,
): Promise<Runtime | undefined> {
  if (given !== undefined) return await Runtime.of(operation, given);
  return await Runtime.of(operation, 'runc').catch(() => undefined);
}

/** The last line that runc has written to stderr, without the form of its log. */
export function lastMessage(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  const [, quoted] = /\bmsg"?[=:]"((?:[^"\\]|\\.)*)"/.exec(line) ?? [];
  return quoted === undefined ? line : quoted.replaceAll(/\\(.)/g, '$1');
}
