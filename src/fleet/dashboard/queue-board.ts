import type { ServerResponse } from 'node:http';
import { BoardAdapter } from './board-adapter.ts';
import type { DashboardQueue, DashboardSource } from './source.ts';

/** Where bull-board is. */
const PREFIX = '/queues';

/** The part of `@bull-board/api` that is used. */
interface BullBoard {
  createBullBoard(of: { queues: object[]; serverAdapter: BoardAdapter; options: object }): {
    replaceQueues(queues: readonly object[]): void;
  };
}

/** The part of `@bull-board/api/bullMQAdapter` that is used. */
interface Adapters {
  readonly BullMQAdapter: new (queue: DashboardQueue, options: { readOnlyMode: true }) => object;
}

/** bull-board beside the dashboard, as a page that only shows. */
export class QueueBoard {
  readonly #adapter = new BoardAdapter(PREFIX);
  readonly #queues: () => object[];
  readonly #replaceQueues: (queues: readonly object[]) => void;

  /** Returns undefined if the fleet gives no queues, or bull-board is not installed. */
  static async create(source: DashboardSource): Promise<QueueBoard | undefined> {
    if (!source.queues) return undefined;
    // Not literals: the compiler would look for the types of packages that are optional.
    const name = '@bull-board/api';
    try {
      const [board, adapters] = await Promise.all([import(name), import(`${name}/bullMQAdapter`)]);
      return new QueueBoard(source, board, adapters);
    } catch (error) {
      // Its page is a package of its own, which it looks for itself.
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code.endsWith('MODULE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  private constructor(source: DashboardSource, board: BullBoard, { BullMQAdapter }: Adapters) {
    // Each host has a queue, and hosts come and go.
    const known = new WeakMap<DashboardQueue, object>();
    const adapterOf = (queue: DashboardQueue) => {
      const adapter = known.get(queue) ?? new BullMQAdapter(queue, { readOnlyMode: true });
      known.set(queue, adapter);
      return adapter;
    };
    this.#queues = () => source.queues?.().map(adapterOf) ?? [];
    const { replaceQueues } = board.createBullBoard({
      queues: this.#queues(),
      serverAdapter: this.#adapter,
      options: { uiConfig: { boardTitle: `Queues of ${source.name}`, hideRedisDetails: true } },
    });
    this.#replaceQueues = replaceQueues;
  }

  /** True if a path is one of bull-board. */
  has(path: string): boolean {
    return path === PREFIX || path.startsWith(`${PREFIX}/`);
  }

  /** Answers a request to read. */
  async answer({ pathname, searchParams }: URL, response: ServerResponse): Promise<void> {
    const path = pathname.slice(PREFIX.length) || '/';
    if (path.startsWith('/api/')) this.#replaceQueues(this.#queues());
    await this.#adapter.answer(path, searchParams, response);
  }
}
