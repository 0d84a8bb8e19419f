import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, WorkerRequest } from 'vitest/node';

/** How long a worker may take to end once it is asked to, before its sandbox is killed. */
const GRACE_MS = 500;

/**
 * A pool whose workers run in a sandbox each: pid, mount and network namespaces of their own, with an
 * init process, as test/fixtures/sandbox.c makes them. A test file has free pids, no network rules
 * and no other's processes, and nothing that it leaves behind outlives it.
 */
export function sandboxPool(): PoolRunnerInitializer {
  const script = resolve(import.meta.dirname, '../scripts/fixture.sh');
  const sandbox = execFileSync('bash', [script, 'sandbox'], { encoding: 'utf8' }).trim();
  return {
    name: 'sandbox',
    createPoolWorker: (options) => new SandboxWorker(sandbox, options),
  };
}

/** What Vitest's own pool of forks does, with a program in front of Node. */
class SandboxWorker implements PoolWorker {
  readonly name = 'sandbox';
  readonly cacheFs = true;
  readonly #sandbox: string;
  readonly #options: PoolOptions;
  #child: ChildProcess | undefined;

  constructor(sandbox: string, options: PoolOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { distPath, env, execArgv } = this.#options;
    // Node reads that file whenever it starts, which takes a tenth of a second, and a sandbox has no network.
    const { NODE_EXTRA_CA_CERTS: _, ...rest } = env as NodeJS.ProcessEnv;
    this.#child ??= fork(resolve(distPath, 'workers/forks.js'), [], {
      env: rest,
      execPath: this.#sandbox,
      execArgv: [process.execPath, ...execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
  }

  async stop(): Promise<void> {
    const child = this.#running;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    child.kill();
    await exited;
    clearTimeout(timer);
  }

  on(event: string, callback: (argument: unknown) => void): void {
    this.#running.on(event, callback);
  }

  off(event: string, callback: (argument: unknown) => void): void {
    this.#running.off(event, callback);
  }

  send(message: WorkerRequest): void {
    this.#running.send(message);
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  get #running(): ChildProcess {
    if (!this.#child) throw new Error('the worker does not run');
    return this.#child;
  }
}
