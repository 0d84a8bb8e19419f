import type { DashboardQueue } from '../../src/fleet.ts';

/** What bull-board asks of a queue of BullMQ, without a Redis. Whatever changes a queue throws. */
export function scriptedQueue(name: string): DashboardQueue {
  const counts = { waiting: 3, active: 1, completed: 5, failed: 0, delayed: 0, paused: 0 };
  const known: Record<string, unknown> = {
    name,
    opts: { prefix: 'bull' },
    qualifiedName: `bull:${name}`,
    metaValues: { version: 'bullmq:6.7.0' },
    getJobCounts: async () => counts,
    getJobs: async () => [],
    getJobSchedulers: async () => [],
    getJobSchedulersCount: async () => 0,
    getWorkers: async () => [{ name: 'worker', addr: '127.0.0.1:1' }],
    getGlobalConcurrency: async () => null,
    getGlobalRateLimit: async () => null,
    getRateLimitTtl: async () => 0,
    getMetrics: async () => ({ meta: { count: 0 }, data: [], count: 0 }),
    isPaused: async () => false,
    client: Promise.resolve({ info: async () => 'redis_version:7.0.15\r\n' }),
  };
  return new Proxy(known, {
    get(_, property) {
      if (typeof property === 'symbol' || property in known) return known[property as string];
      if (property === 'then' || property === 'getBackend') return undefined;
      return () => {
        throw new Error(`bull-board called ${property}`);
      };
    },
  }) as unknown as DashboardQueue;
}
