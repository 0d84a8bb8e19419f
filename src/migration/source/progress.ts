import type { PreCopy } from '../../precopy/pre-copy.ts';
import type { Round } from '../../precopy/round.ts';
import type { EventQueue, MigrationEvent, MigrationPhase } from './events.ts';
import type { MigrationMode } from './migrate.ts';

/** How far a migration from this host is: its clock, and what is told of it. */
export class Progress {
  phase: MigrationPhase = 'offer';
  /** When it began; of the same clock as performance.now(). */
  readonly start: number;
  /** Time of each phase that is over, in milliseconds. */
  readonly phases: Partial<Record<MigrationPhase, number>> = {};
  /** Once it is chosen. */
  mode: MigrationMode | undefined;
  /** What there is to copy, in bytes, once it is known. */
  totalBytes: number | undefined;
  readonly #events: EventQueue<MigrationEvent>;
  /** What has gone over, in bytes. */
  readonly #bytes: () => number;
  #phaseStart: number;
  #bytesBefore = 0;

  constructor(start: number, events: EventQueue<MigrationEvent>, bytes: () => number) {
    this.start = start;
    this.#phaseStart = start;
    this.#events = events;
    this.#bytes = bytes;
  }

  /** How long the phase has been going on, in milliseconds. */
  get sinceMs(): number {
    return performance.now() - this.#phaseStart;
  }

  begin(phase: MigrationPhase): void {
    this.phases[this.phase] = (this.phases[this.phase] ?? 0) + this.sinceMs;
    this.phase = phase;
    this.#phaseStart = performance.now();
    this.#bytesBefore = this.#bytes();
  }

  tell(facts: Partial<MigrationEvent> = {}): void {
    const { phase, mode, totalBytes } = this;
    const bytes = this.#bytes();
    const moved = bytes - this.#bytesBefore;
    const rate = moved > 0 ? (moved / this.sinceMs) * 1000 : undefined;
    this.#events.push({
      ...{ phase, timeMs: performance.now() - this.start, bytes },
      ...(mode && { mode }),
      ...(totalBytes !== undefined && { totalBytes }),
      ...(rate !== undefined && { rate, ...this.#eta(bytes, rate) }),
      ...facts,
    });
  }

  tellRound({ index, stats, durationMs }: Round, decision: PreCopy['decision']): void {
    const { estimatedFrozenTimeMs, dirtyBytes } = decision ?? {};
    this.tell({
      round: index,
      pages: stats.pagesWritten,
      rate: (stats.bytesWritten / durationMs) * 1000,
      ...(dirtyBytes !== undefined && { dirtyRate: (dirtyBytes / durationMs) * 1000 }),
      ...(estimatedFrozenTimeMs !== undefined && { estimatedDowntimeMs: estimatedFrozenTimeMs }),
    });
  }

  /** Of lazy pages. */
  tellPages({
    pages,
    pagesFetched,
  }: {
    readonly pages: number;
    readonly pagesFetched: number;
  }): void {
    const left = pages - pagesFetched;
    const etaMs = pagesFetched > 0 ? (this.sinceMs * left) / pagesFetched : undefined;
    this.tell({ pages: pagesFetched, ...(etaMs !== undefined && { etaMs }) });
  }

  /** When all of the memory has gone over once. */
  #eta(bytes: number, rate: number): { etaMs?: number } {
    const left = (this.totalBytes ?? 0) - bytes;
    const isCopying = this.phase === 'dump' || this.phase === 'rounds';
    return isCopying && left > 0 ? { etaMs: (left / rate) * 1000 } : {};
  }
}
