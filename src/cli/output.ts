import type { createLogUpdate } from 'log-update';
import { errorProperties, formatError } from './failure.ts';

/** Time between two plain lines of progress, in milliseconds. */
const PLAIN_INTERVAL_MS = 1000;
const BAR_WIDTH = 16;
const BLOCK_WIDTH = 3;

/** A line of output with `--json`; the other properties depend on `event`. */
export interface OutputEvent {
  readonly event: 'step' | 'progress' | 'finding' | 'listening' | 'result' | 'error';
  readonly [property: string]: unknown;
}

/**
 * The output of a verb. Standard output gets the result, or with `--json` a line for each event.
 * Standard error gets the progress: a bar on a terminal, otherwise plain lines.
 */
export class Output {
  readonly #json: boolean;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  #reportedAt = -Infinity;
  #frames = 0;

  private constructor(json: boolean, live: ReturnType<typeof createLogUpdate> | undefined) {
    this.#json = json;
    this.#live = live;
  }

  static async open(json: boolean): Promise<Output> {
    // Some terminals report no size.
    const { isTTY, columns } = process.stderr;
    if (json || !isTTY || columns === 0) return new Output(json, undefined);
    const { createLogUpdate } = await import('log-update');
    // A hidden cursor would stay hidden if a signal ended the command.
    return new Output(json, createLogUpdate(process.stderr, { showCursor: true }));
  }

  /** Reports a step. */
  step(properties: Omit<OutputEvent, 'event'>, text: string): void {
    this.#reportedAt = performance.now();
    if (this.#json) this.#line({ event: 'step', ...properties });
    else this.log(text);
  }

  /**
   * Reports progress.
   * @param part from 0 to 1; undefined if the end is not known
   */
  progress(properties: Omit<OutputEvent, 'event'>, text: string, part?: number): void {
    if (this.#json) {
      this.#line({ event: 'progress', ...properties });
    } else if (this.#live) {
      this.#live(`${part === undefined ? movingBar(this.#frames++) : bar(part)} ${text}`);
    } else if (performance.now() - this.#reportedAt >= PLAIN_INTERVAL_MS) {
      this.#reportedAt = performance.now();
      this.log(text);
    }
  }

  /** Reports findings: one event each, or the lines, which may group them. */
  findings(all: readonly object[], lines: readonly string[]): void {
    if (this.#json) for (const finding of all) this.#line({ event: 'finding', ...finding });
    else for (const line of lines) this.#print(line);
  }

  /** Reports that a server accepts connections. */
  listening(properties: object, text: string): void {
    if (this.#json) this.#line({ event: 'listening', ...properties });
    else this.#print(text);
  }

  /** Reports the result. */
  result(properties: object, text: string): void {
    if (this.#json) this.#line({ event: 'result', ...properties });
    else this.#print(text);
  }

  /** Writes a line to standard error, with or without `--json`. */
  log(text: string): void {
    this.#live?.clear();
    process.stderr.write(`${text}\n`);
  }

  /** Removes the bar. */
  close(): void {
    this.#live?.clear();
  }

  #print(text: string): void {
    this.#live?.clear();
    if (text !== '') process.stdout.write(`${text}\n`);
  }

  #line(event: OutputEvent): void {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

/** Prints an error on standard error and, with `--json`, on standard output. */
export function printError(error: unknown, json: boolean): void {
  process.stderr.write(`${formatError(error)}\n`);
  if (json) printErrorEvent(errorProperties(error));
}

/** Prints an error event on standard output. */
export function printErrorEvent(properties: object): void {
  process.stdout.write(`${JSON.stringify({ event: 'error', ...properties })}\n`);
}

function bar(part: number): string {
  const full = Math.round(Math.min(Math.max(part, 0), 1) * BAR_WIDTH);
  const percent = `${Math.floor(Math.min(Math.max(part, 0), 1) * 100)} %`;
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${percent.padStart(5)}`;
}

/** A block that moves back and forth, for progress whose end is not known. */
function movingBar(frame: number): string {
  const way = BAR_WIDTH - BLOCK_WIDTH;
  const before = way - Math.abs((frame % (2 * way)) - way);
  return `[${'-'.repeat(before)}${'#'.repeat(BLOCK_WIDTH)}${'-'.repeat(way - before)}]`;
}
