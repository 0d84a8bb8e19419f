import { Queue } from 'bullmq';
import { isName } from '../../names.ts';
import { checkpointsOf } from '../../redis/keys.ts';
import type { HostBackend } from '../backend.ts';
import { CheckpointKeeper, type CheckpointTools, type KeeperContext } from './checkpoint-keeper.ts';
import { type CheckpointJob, CheckpointSchedules } from './checkpoint-schedules.ts';
import { Restarter, type RestartOrder, type RestartOutcome } from './restarter.ts';

/** The parts of a host that its checkpoints are about. */
export interface CheckpointedHost
  extends Pick<
    KeeperContext,
    'name' | 'directory' | 'redis' | 'keys' | 'table' | 'locks' | 'changed'
  > {
  readonly backend: HostBackend;
  /** Says in Redis what the host has. */
  publish(): Promise<void>;
  warn(error: Error): void;
}

/** The checkpoints of a host: made on schedule, received from other hosts, and restarted after the loss of one. */
export class HostCheckpoints {
  readonly #host: CheckpointedHost;
  readonly #queue: Queue<CheckpointJob>;
  readonly #schedules: CheckpointSchedules;
  readonly #keeper: CheckpointKeeper;
  readonly #restarter: Restarter;

  constructor(host: CheckpointedHost, tools: CheckpointTools) {
    const { name, redis, keys, table, backend } = host;
    this.#host = host;
    this.#queue = new Queue(checkpointsOf(name), { connection: redis, prefix: keys.prefix });
    this.#queue.on('error', (error) => host.warn(error));
    this.#schedules = new CheckpointSchedules(this.#queue, table);
    this.#keeper = new CheckpointKeeper({
      ...{ ...tools, ...host },
      isRunning: ({ root }) => backend.isRunning(root),
    });
    this.#restarter = new Restarter({ ...host, keeper: this.#keeper, tools });
  }

  /** The port on which checkpoints of other hosts come. */
  get port(): number | undefined {
    return this.#keeper.port;
  }

  /** Takes checkpoints of other hosts from now on. */
  async start(): Promise<void> {
    await this.#keeper.start();
  }

  /** Says in Redis which checkpoints are here, and when more are made. */
  async publish(): Promise<void> {
    const { redis, keys } = this.#host;
    await Promise.all([this.#keeper.held.publish(redis, keys), this.#schedules.sync()]);
  }

  /** Makes the checkpoint that a job wants, if it is due. */
  async make({ workload }: Partial<CheckpointJob>): Promise<unknown> {
    if (!isName(workload)) return undefined;
    try {
      return await this.#keeper.checkpoint(workload);
    } catch (error) {
      this.#host.warn(error as Error);
      throw error;
    }
  }

  /** @param note see {@link Restarter.restart} */
  async restart(order: RestartOrder, note: () => Promise<void>): Promise<RestartOutcome> {
    return await this.#restarter.restart(order, note);
  }

  /** A checkpoint that is being sent is not waited for: the next agent makes another one. */
  async close(): Promise<void> {
    await this.#keeper[Symbol.asyncDispose]();
    await this.#queue.close().catch(() => {});
  }
}
