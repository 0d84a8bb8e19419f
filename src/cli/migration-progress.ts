import type { MigrationEvent, MigrationPhase } from '../index.ts';
import type { Output } from './output.ts';
import { formatBytes, formatDuration } from './quantities.ts';

/** What happens in each phase. */
const meanings: Readonly<Record<MigrationPhase, string>> = {
  offer: 'asking the destination',
  connect: 'opening the connections for memory',
  rounds: 'copying memory while the processes run',
  dump: 'freezing and dumping the processes',
  images: 'sending the images without memory',
  prepare: 'restoring the copy',
  'switch-over': 'moving the addresses while neither copy runs',
  'hand-over': 'starting the copy',
  pages: 'the copy runs; the rest of its memory follows',
  done: 'the original has ended',
};

/** The phases that copy memory, as short as a bar needs it. */
const copying: Readonly<Partial<Record<MigrationPhase, string>>> = {
  rounds: 'round',
  dump: 'dumping',
  images: 'sending images',
  pages: 'sending memory',
};

/** Reports the events of a migration. */
export class MigrationProgress {
  readonly #output: Pick<Output, 'step' | 'progress'>;
  readonly #expectedBytes: number;
  #phase: MigrationPhase | undefined;
  #phaseStartMs = 0;
  #rounds = 0;

  /** @param expectedBytes an estimate of all of the memory */
  constructor(output: Pick<Output, 'step' | 'progress'>, expectedBytes: number) {
    this.#output = output;
    this.#expectedBytes = expectedBytes;
  }

  report(event: MigrationEvent): void {
    const { phase, timeMs, round } = event;
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#phaseStartMs = timeMs;
      this.#output.step({ step: phase, ...event }, meanings[phase]);
    } else if (round !== undefined) {
      this.#rounds = round + 1;
      this.#output.step({ step: 'round', ...event }, `round ${round}: ${figuresOf(event)}`);
    } else {
      const aboutBytes = this.#aboutBytes(event);
      const properties = { ...event, ...(aboutBytes !== undefined && { aboutBytes }) };
      this.#output.progress(
        properties,
        this.#textOf(event, aboutBytes),
        this.#partOf(event, aboutBytes),
      );
    }
  }

  #textOf(event: MigrationEvent, aboutBytes: number | undefined): string {
    const { phase, timeMs } = event;
    const step = copying[phase];
    if (step === undefined)
      return `${meanings[phase]}, for ${formatDuration(timeMs - this.#phaseStartMs)}`;
    const number = phase === 'rounds' ? ` ${this.#rounds}` : '';
    return `${step}${number}: ${figuresOf(event, aboutBytes)}`;
  }

  /** The bytes that the phase will send, if it sends all of the memory. */
  #aboutBytes({ phase, mode, bytes = 0 }: MigrationEvent): number | undefined {
    const sendsAll =
      (phase === 'rounds' && this.#rounds === 0) || (phase === 'dump' && mode === 'stop-and-copy');
    return sendsAll ? Math.max(this.#expectedBytes, bytes) : undefined;
  }

  #partOf({ timeMs, bytes = 0, etaMs }: MigrationEvent, about: number | undefined) {
    if (about !== undefined) return bytes / Math.max(about, 1);
    if (etaMs === undefined) return undefined;
    const elapsedMs = timeMs - this.#phaseStartMs;
    return elapsedMs / Math.max(elapsedMs + etaMs, 1);
  }
}

/** The numbers of an event, as text. */
function figuresOf(event: MigrationEvent, aboutBytes?: number): string {
  const { bytes, rate, dirtyRate, estimatedDowntimeMs, etaMs } = event;
  const about = aboutBytes === undefined ? '' : ` of about ${formatBytes(aboutBytes)}`;
  return [
    ...(bytes === undefined ? [] : [`${formatBytes(bytes)}${about}`]),
    ...(rate === undefined ? [] : [`${formatBytes(rate)}/s`]),
    ...(dirtyRate === undefined ? [] : [`${formatBytes(dirtyRate)}/s change`]),
    ...(estimatedDowntimeMs === undefined
      ? []
      : [`downtime about ${formatDuration(estimatedDowntimeMs)}`]),
    ...(etaMs === undefined ? [] : [`${formatDuration(etaMs)} left`]),
  ].join(', ');
}
