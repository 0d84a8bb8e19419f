import type { Histogram } from '../../migration/destination/monitoring/exposition.ts';
import type { FleetOperationView, FleetStep } from '../operation-view.ts';

/** Upper limits of the downtimes that are counted together, in seconds. */
const DOWNTIME_LIMITS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

type EndedState = 'done' | 'failed' | 'cancelled';

/**
 * Counts the moves that have ended. A fleet forgets old operations, and the counters of Prometheus must not decrease:
 * so the count is kept here, and each move is counted once.
 */
export class MoveTotals {
  readonly #ended: Record<EndedState, number> = { done: 0, failed: 0, cancelled: 0 };
  readonly #counts = DOWNTIME_LIMITS.map(() => 0);
  #downtimes = 0;
  #downtimeSum = 0;
  #bytes = 0;
  /** What has been counted and may be seen again. */
  #counted = new Set<string>();

  /** Counts what has ended since the last call. Give it all operations that the fleet has. */
  observe(operations: readonly FleetOperationView[]): void {
    const seen = new Set<string>();
    for (const { steps } of operations) {
      for (const step of steps) {
        if (!isEnded(step.state)) continue;
        seen.add(step.id);
        if (!this.#counted.has(step.id)) this.#count(step, step.state);
      }
    }
    this.#counted = seen;
  }

  /** Moves by how they have ended. */
  get ended(): Readonly<Record<'done' | 'failed' | 'cancelled', number>> {
    return this.#ended;
  }

  /** Bytes that these moves have sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Their downtimes in seconds. @internal */
  get downtimes(): Histogram {
    return {
      limits: DOWNTIME_LIMITS,
      counts: this.#counts,
      count: this.#downtimes,
      sum: this.#downtimeSum,
    };
  }

  #count({ bytes, downtimeMs }: FleetStep, state: EndedState): void {
    this.#ended[state]++;
    this.#bytes += bytes;
    if (state !== 'done' || downtimeMs === undefined) return;
    const seconds = downtimeMs / 1000;
    const bucket = DOWNTIME_LIMITS.findIndex((limit) => seconds <= limit);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#downtimes++;
    this.#downtimeSum += seconds;
  }
}

function isEnded(state: FleetStep['state']): state is EndedState {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}
