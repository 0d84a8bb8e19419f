import type { PreCopy } from '../../precopy/pre-copy.ts';
import type { Round } from '../../precopy/round.ts';
import type { MigrationMode } from '../protocol/modes.ts';
import type { EventQueue, MigrationEvent, MigrationPhase } from './events.ts';

const REPORT_MS = 250;

/** Measures the phases and bytes of a migration, and reports them as events. */
export class Progress {
  /** When the migration began, by performance.now(). */
  readonly start: number;
  /** The durations of the phases that have ended, in milliseconds. */
  readonly phases: Partial<Record<MigrationPhase, number>> = {};
  readonly #events: EventQueue<MigrationEvent>;
  readonly #counters: (() => number)[] = [];
  #phase: MigrationPhase = 'offer';
  #phaseStart: number;
  #bytesAtPhaseStart = 0;
  #mode: MigrationMode | undefined;
  #totalBytes: number | undefined;

  constructor(start: number, events: EventQueue<MigrationEvent>) {
    this.start = start;
    this.#phaseStart = start;
    this.#events = events;
  }

  get phase(): MigrationPhase {
    return this.#phase;
  }

  /** Memory and images sent so far, in bytes. */
  get bytes(): number {
    return this.#counters.reduce((sum, count) => sum + count(), 0);
  }

  /** Adds a counter of sent bytes to the total. */
  countBytes(counter: () => number): void {
    this.#counters.push(counter);
  }

  /** Adds bytes that were sent at once to the total. */
  addBytes(bytes: number): void {
    this.countBytes(() => bytes);
  }

  /** Notes what there is to move, once the destination has accepted it. */
  setOffer(mode: MigrationMode, totalBytes: number): void {
    this.#mode = mode;
    this.#totalBytes = totalBytes;
  }

  begin(phase: MigrationPhase): void {
    this.phases[this.#phase] = (this.phases[this.#phase] ?? 0) + this.#phaseMs;
    this.#phase = phase;
    this.#phaseStart = performance.now();
    this.#bytesAtPhaseStart = this.bytes;
  }

  /** Reports every 250 ms until the returned handle is disposed of. */
  startReporting(): Disposable {
    const timer = setInterval(() => this.report(), REPORT_MS).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  report(details: Partial<MigrationEvent> = {}): void {
    const bytes = this.bytes;
    const moved = bytes - this.#bytesAtPhaseStart;
    const rate = moved > 0 ? (moved / this.#phaseMs) * 1000 : undefined;
    this.#events.push({
      ...{ phase: this.#phase, timeMs: performance.now() - this.start, bytes },
      ...(this.#mode && { mode: this.#mode }),
      ...(this.#totalBytes !== undefined && { totalBytes: this.#totalBytes }),
      ...(rate !== undefined && { rate, ...this.#eta(bytes, rate) }),
      ...details,
    });
  }

  reportRound({ index, stats, durationMs }: Round, decision: PreCopy['decision']): void {
    const { estimatedFrozenTimeMs, dirtyBytes } = decision ?? {};
    this.report({
      round: index,
      pages: stats.pagesWritten,
      rate: (stats.bytesWritten / durationMs) * 1000,
      ...(dirtyBytes !== undefined && { dirtyRate: (dirtyBytes / durationMs) * 1000 }),
      ...(estimatedFrozenTimeMs !== undefined && { estimatedDowntimeMs: estimatedFrozenTimeMs }),
    });
  }

  /** Reports how many lazy pages the copy has received. */
  reportPages({ pages, pagesFetched }: { readonly pages: number; readonly pagesFetched: number }) {
    const left = pages - pagesFetched;
    const etaMs = pagesFetched > 0 ? (this.#phaseMs * left) / pagesFetched : undefined;
    this.report({ pages: pagesFetched, ...(etaMs !== undefined && { etaMs }) });
  }

  get #phaseMs(): number {
    return performance.now() - this.#phaseStart;
  }

  /** The time until all memory has been sent once. */
  #eta(bytes: number, rate: number): { etaMs?: number } {
    const left = (this.#totalBytes ?? 0) - bytes;
    const isCopying = this.#phase === 'dump' || this.#phase === 'rounds';
    return isCopying && left > 0 ? { etaMs: (left / rate) * 1000 } : {};
  }
}
