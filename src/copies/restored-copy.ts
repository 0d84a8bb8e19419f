import { builtins } from '../builtins.ts';
import { CriuError } from '../errors.ts';
import type { RestoredProcess } from '../operations/restored-process.ts';
import { signal as sendSignal } from '../process/kill-tree.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { TemplateCopy } from './copy.ts';
import type { DumpablePart } from './copy-dump.ts';
import { NetworkOfCopy } from './copy-network.ts';
import type { CopyIdentity } from './copy-options.ts';
import { CopyStreams } from './copy-streams.ts';
import { GUEST_TIMEOUT_MS } from './guest-channel.ts';
import type { LifeLine } from './life-line.ts';
import type { PortForwarder } from './port-forwarder.ts';
import { type CopyRequest, restoreIn } from './restore-in.ts';

/** A copy that is restored, and has not been told yet which one it is. It ends with this process. */
export class RestoredCopy {
  readonly network: NetworkOfCopy;
  readonly #root: RestoredProcess;
  readonly #streams: CopyStreams;
  readonly #part: DumpablePart;
  readonly #life: LifeLine;
  readonly #guest: Disposable;
  readonly #isHeld: boolean;

  /** Restores a copy. @throws CriuError */
  static async make(operation: string, request: CopyRequest): Promise<RestoredCopy> {
    const { template, environment } = request;
    const network = NetworkOfCopy.of(operation, environment, template.description);
    let streams: CopyStreams | undefined;
    try {
      streams = await CopyStreams.open(operation, environment);
      const restored = await restoreIn(operation, request, network, streams);
      // A copy that is kept has time for that.
      if (request.isHeld) await restored.part.memory;
      return new RestoredCopy(request, network, streams, restored);
    } catch (error) {
      streams?.destroy();
      network[Symbol.dispose]();
      throw error;
    } finally {
      await streams?.[Symbol.asyncDispose]();
    }
  }

  private constructor(
    request: CopyRequest,
    network: NetworkOfCopy,
    streams: CopyStreams,
    restored: Awaited<ReturnType<typeof restoreIn>>,
  ) {
    this.network = network;
    this.#isHeld = request.isHeld;
    this.#streams = streams;
    this.#root = restored.root;
    this.#life = restored.life;
    this.#guest = restored.guest;
    this.#part = restored.part;
  }

  /** Resolves when its processes have ended. It does not keep Node running. */
  get ended(): Promise<unknown> {
    return this.#root.ended;
  }

  /**
   * Tells the copy who it is, and lets it run.
   * @throws CriuError ERR_CRIU_GUEST, ERR_CRIU_TIMEOUT, ERR_CRIU_ABORTED
   */
  async run(
    operation: string,
    { name, env = {}, args, guestTimeoutMs = GUEST_TIMEOUT_MS, signal }: CopyIdentity,
    forwarder?: PortForwarder,
  ): Promise<TemplateCopy> {
    const id = builtins.crypto.randomUUID();
    const identity = { id, name: name ?? id };
    const { guest, description } = this.#part;
    // In the host's own namespace it would rename the host.
    const hostname = description.namespaces.includes('uts') ? name : undefined;
    try {
      if (this.#isHeld) this.#continue();
      const changes = Object.entries(env).map(([key, value]) => [key, value ?? null] as const);
      await guest?.restored(
        {
          copy: identity,
          env: Object.fromEntries(changes),
          ...(args && { args }),
          ...(hostname !== undefined && { hostname }),
          restoredAt: Date.now(),
        },
        { timeoutMs: guestTimeoutMs, signal },
      );
    } catch (error) {
      throw named(operation, error as CriuError);
    }
    this.#life.cut();
    return new TemplateCopy({
      ...{ ...identity, root: this.#root, forwarder, part: this.#part },
      ...{ stdout: this.#streams.stdout, stderr: this.#streams.stderr },
      release: () => this.#release(),
    });
  }

  #continue(): void {
    for (const pid of descendantsOf(this.#root.pid)) sendSignal(pid, 'SIGCONT');
  }

  /** Kills the processes, and waits for their end. Idempotent. */
  async end(): Promise<void> {
    this.#root.kill('SIGKILL');
    await this.#root.exited;
    await this.#part.memory;
    this.#streams.destroy();
    this.#release();
  }

  #release(): void {
    this.#life[Symbol.dispose]();
    this.#guest[Symbol.dispose]();
    this.#part.guest?.close();
    this.network[Symbol.dispose]();
  }
}

/** The error of the connection to the program, as one of the operation that it is a part of. */
function named(operation: string, error: CriuError): CriuError {
  const { code, message, cause } = error;
  const reason = message.replace(/^\w+: /, '');
  return new CriuError(code, `${operation}: ${reason}`, { operation, cause });
}
