import type { MigrationEvent, MigrationPhase } from '../index.ts';
import type { Output } from './output.ts';
import { shownBytes, shownTime } from './quantities.ts';

/** What the phases mean. */
const meanings: Readonly<Record<MigrationPhase, string>> = {
  offer: 'the other host is asked whether it takes it',
  connect: 'the connections for memory are made',
  rounds: 'memory is copied while the processes run',
  dump: 'the processes are frozen, and dumped',
  images: 'all but their memory goes over',
  prepare: 'the copy is restored, and held',
  'switch-over': 'the original is stopped, and addresses move',
  'hand-over': 'the copy is let go',
  pages: 'the copy runs, and the rest of its memory follows',
  done: 'the original has ended',
};

/** Those in which there is something to count. */
const copying: readonly MigrationPhase[] = ['rounds', 'dump', 'images', 'pages'];

/** Tells of a migration by its events. */
export class MigrationProgress {
  readonly #output: Pick<Output, 'step' | 'progress'>;
  readonly #expectedBytes: number;
  #phase: MigrationPhase | undefined;
  #phaseStartMs = 0;
  #rounds = 0;

  /** @param expectedBytes about what all of the memory takes */
  constructor(output: Pick<Output, 'step' | 'progress'>, expectedBytes: number) {
    this.#output = output;
    this.#expectedBytes = expectedBytes;
  }

  tell(event: MigrationEvent): void {
    const { phase, timeMs, round } = event;
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#phaseStartMs = timeMs;
      this.#output.step({ step: phase, ...event }, `${phase}: ${meanings[phase]}`);
    } else if (round !== undefined) {
      this.#rounds = round + 1;
      this.#output.step({ step: 'round', ...event }, `round ${round}: ${figuresOf(event)}`);
    } else {
      const aboutBytes = this.#aboutBytes(event);
      const facts = { ...event, ...(aboutBytes !== undefined && { aboutBytes }) };
      this.#output.progress(
        facts,
        this.#textOf(event, aboutBytes),
        this.#partOf(event, aboutBytes),
      );
    }
  }

  #textOf(event: MigrationEvent, aboutBytes: number | undefined): string {
    const { phase, timeMs } = event;
    if (!copying.includes(phase)) return `${phase}, for ${shownTime(timeMs - this.#phaseStartMs)}`;
    const name = phase === 'rounds' ? `round ${this.#rounds}` : phase;
    return `${name}: ${figuresOf(event, aboutBytes)}`;
  }

  /** What there will have gone over in the end, where all of the memory goes over at once. */
  #aboutBytes({ phase, mode, bytes = 0 }: MigrationEvent): number | undefined {
    const isAtOnce =
      (phase === 'rounds' && this.#rounds === 0) || (phase === 'dump' && mode === 'stop-and-copy');
    return isAtOnce ? Math.max(this.#expectedBytes, bytes) : undefined;
  }

  #partOf({ timeMs, bytes = 0, etaMs }: MigrationEvent, about: number | undefined) {
    if (about !== undefined) return bytes / Math.max(about, 1);
    if (etaMs === undefined) return undefined;
    const elapsedMs = timeMs - this.#phaseStartMs;
    return elapsedMs / Math.max(elapsedMs + etaMs, 1);
  }
}

/** What an event has of numbers. */
function figuresOf(event: MigrationEvent, aboutBytes?: number): string {
  const { bytes, rate, dirtyRate, estimatedDowntimeMs, etaMs } = event;
  const about = aboutBytes === undefined ? '' : ` of about ${shownBytes(aboutBytes)}`;
  return [
    ...(bytes === undefined ? [] : [`${shownBytes(bytes)}${about}`]),
    ...(rate === undefined ? [] : [`${shownBytes(rate)}/s`]),
    ...(dirtyRate === undefined ? [] : [`${shownBytes(dirtyRate)}/s change`]),
    ...(estimatedDowntimeMs === undefined
      ? []
      : [`downtime about ${shownTime(estimatedDowntimeMs)}`]),
    ...(etaMs === undefined ? [] : [`${shownTime(etaMs)} left`]),
  ].join(', ');
}
