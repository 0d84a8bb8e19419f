import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import type { CriuError } from '../../src/index.ts';
import { buildLibrary } from './built.ts';

/** The properties of an error that are sent between processes. */
export type ErrorFacts = Pick<
  CriuError,
  'code' | 'message' | 'errno' | 'workload' | 'pid' | 'exit' | 'cancelled' | 'leftovers'
>;

/** Another process that uses the library: test/fixtures/library-process.mjs. */
export class LibraryProcess {
  readonly #child: ChildProcess;
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;

  /**
   * Starts one through a program that changes its environment, such as its namespaces. Its client has
   * these defaults. It is killed after the test.
   */
  static async start(
    through: readonly string[] = [],
    defaults: object = {},
  ): Promise<LibraryProcess> {
    const caller = await LibraryProcess.unused(through, defaults);
    await caller.ask('version');
    return caller;
  }

  /** Starts one that has imported the library but has not used it yet. */
  static async unused(
    through: readonly string[] = [],
    defaults: object = {},
  ): Promise<LibraryProcess> {
    await buildLibrary();
    const [execPath = process.execPath, ...rest] = [...through, process.execPath];
    const args = [criuPath(), JSON.stringify(defaults)];
    const child = fork(new URL('../fixtures/library-process.mjs', import.meta.url), args, {
      execPath,
      execArgv: rest,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Undefined differs from absent.
      serialization: 'advanced',
    });
    const caller = new LibraryProcess(child);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await caller.ended;
    });
    await caller.ask('empty');
    return caller;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = once(child, 'exit');
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Has it run a task; resolves with the outcome. */
  async do<T>(
    task: string,
    options: object = {},
  ): Promise<{ result?: T; error?: ErrorFacts } | 'ended'> {
    const answered = once(this.#child, 'message').then(([answer]) => answer);
    this.#child.send({ task, options });
    return await Promise.race([answered, this.ended.then(() => 'ended' as const)]);
  }

  /** The result of a task; throws if it fails. */
  async ask<T>(task: string, options: object = {}): Promise<T> {
    const answer = await this.do<T>(task, options);
    if (answer === 'ended') throw new Error(`the caller has ended while it did ${task}`);
    if (answer.error) throw new Error(`${task}: ${answer.error.message}`);
    return answer.result as T;
  }

  /** The error of a task; throws if it succeeds. */
  async failure(task: string, options: object = {}): Promise<ErrorFacts> {
    const answer = await this.do(task, options);
    if (answer === 'ended' || !answer.error) throw new Error(`expected that ${task} fails`);
    return answer.error;
  }
}
