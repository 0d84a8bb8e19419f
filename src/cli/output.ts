import type { createLogUpdate } from 'log-update';
import { errorProperties, formatError } from './failure.ts';
import { type LogFormat, logRecord, logWarnings } from './log-record.ts';
import { wrapped } from './text-layout.ts';

/** Time between two plain lines of progress, in milliseconds. */
const PLAIN_INTERVAL_MS = 1000;
const MAX_BAR_WIDTH = 16;
const MIN_BAR_WIDTH = 3;
const BLOCK_WIDTH = 3;

/** The flags that {@link Output.open} reads. */
export interface OutputFlags {
  /** Print events and the result as JSON. */
  readonly json?: boolean;
  /** Print no steps and no progress. */
  readonly quiet?: boolean;
  /** The format of standard error; default `text`. */
  readonly logFormat?: LogFormat;
}

/** A line of output with `--json`; the other properties depend on `event`. */
export interface OutputEvent {
  readonly event:
    | 'step'
    | 'progress'
    | 'finding'
    | 'handle'
    | 'listening'
    | 'match'
    | 'bytes'
    | 'result'
    | 'error';
  readonly [property: string]: unknown;
}

/**
 * The output of a verb. Standard output gets the result, or with `--json` a line for each event.
 * Standard error gets the progress: a bar on a terminal, otherwise plain lines, or a structured log.
 */
export class Output {
  readonly #json: boolean;
  readonly #quiet: boolean;
  readonly #isStructured: boolean;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  #reportedAt = -Infinity;
  #frames = 0;
  #subject: object = {};

  private constructor(
    { json = false, quiet = false, logFormat }: OutputFlags,
    live?: ReturnType<typeof createLogUpdate>,
  ) {
    this.#json = json;
    this.#quiet = quiet;
    this.#isStructured = logFormat === 'json';
    this.#live = live;
  }

  static async open(flags: OutputFlags): Promise<Output> {
    // Some terminals report no size.
    const { isTTY, columns } = process.stderr;
    const isStructured = flags.logFormat === 'json';
    if (isStructured) logWarnings();
    if (flags.json || flags.quiet || isStructured || !isTTY || columns === 0)
      return new Output(flags);
    const { createLogUpdate } = await import('log-update');
    // A hidden cursor would stay hidden if a signal ended the command.
    return new Output(flags, createLogUpdate(process.stderr, { showCursor: true }));
  }

  /** Sets what all lines of a structured log are about. */
  about(subject: { readonly id: string; readonly peer: string }): void {
    this.#subject = subject;
  }

  /** Reports a step. */
  step(properties: Omit<OutputEvent, 'event'>, text: string): void {
    if (this.#quiet) return;
    this.#reportedAt = performance.now();
    if (this.#json) this.#line({ event: 'step', ...properties });
    if (this.#isStructured) this.#record(String(properties.step), properties);
    else if (!this.#json) this.log(wrapped(text, process.stderr.columns));
  }

  /**
   * Reports progress.
   * @param part from 0 to 1; undefined if the end is not known
   */
  progress(properties: Omit<OutputEvent, 'event'>, text: string, part?: number): void {
    if (this.#quiet) return;
    if (this.#json) {
      this.#line({ event: 'progress', ...properties });
    } else if (this.#live) {
      this.#live(progressLine(text, process.stderr.columns, part, this.#frames++));
    } else if (this.#isStructured) {
      // The steps have the figures; a log is no place for a bar.
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

  /**
   * Reports one of many parts of a result. Resolves when more can be written, with false if nobody reads the output
   * any more.
   */
  async part(event: 'match' | 'bytes', properties: () => object, text: string): Promise<boolean> {
    return await this.write(this.#json ? `${JSON.stringify({ event, ...properties() })}\n` : text);
  }

  /** Writes a part of a result that has a form of its own, as {@link part} does. */
  async write(chunk: string | Buffer): Promise<boolean> {
    this.#live?.clear();
    const { stdout } = process;
    if (stdout.destroyed) return false;
    if (!stdout.write(chunk)) {
      await new Promise<void>((resolve) => {
        const end = () => {
          stdout.off('drain', end).off('close', end);
          resolve();
        };
        stdout.on('drain', end).on('close', end);
      });
    }
    return !stdout.destroyed;
  }

  /** Reports that a server accepts connections. */
  listening(properties: object, text: string): void {
    if (this.#isStructured) this.#record('listening', properties);
    if (this.#json) this.#line({ event: 'listening', ...properties });
    else this.#print(text);
  }

  /** Reports the result. */
  result(properties: object, text: string): void {
    if (this.#isStructured) this.#record('result', properties);
    if (this.#json) this.#line({ event: 'result', ...properties });
    else this.#print(text);
  }

  /** Reports something besides the result: an event, or a line on standard error, which `--quiet` omits. */
  notice(event: 'finding' | 'handle', properties: object, text: string): void {
    if (this.#json) this.#line({ event, ...properties });
    else for (const line of text.split('\n')) this.hint(line);
  }

  /** Writes a line for a person to standard error, which `--json` and `--quiet` omit. */
  hint(text: string): void {
    if (!this.#json && !this.#quiet) this.log(wrapped(text, process.stderr.columns));
  }

  /** Writes a line to standard error, with or without `--json`. */
  log(text: string): void {
    if (this.#isStructured) {
      this.#record('message', { message: text });
      return;
    }
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

  #record(event: string, properties: object): void {
    const { step: _, ...others } = properties as { step?: string };
    process.stderr.write(logRecord(event, { ...this.#subject, ...others }));
  }

  #line(event: OutputEvent): void {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

/** Prints an error on standard error and, with `--json`, on standard output. */
export function printError(error: unknown, { json = false, logFormat }: OutputFlags): void {
  if (logFormat === 'json') process.stderr.write(logRecord('error', errorProperties(error)));
  else process.stderr.write(`${formatError(error)}\n`);
  if (json) printErrorEvent(errorProperties(error));
}

/** Prints an error event on standard output. */
export function printErrorEvent(properties: object): void {
  process.stdout.write(`${JSON.stringify({ event: 'error', ...properties })}\n`);
}

/**
 * A line of progress that fits the terminal: a bar as wide as the text leaves room for, or none.
 * @param part from 0 to 1; undefined for a block that moves with each `frame`
 */
export function progressLine(text: string, columns: number, part?: number, frame = 0): string {
  const percent =
    part === undefined ? '' : `${`${Math.floor(limited(part) * 100)} %`.padStart(5)} `;
  // The brackets, the space after the bar, and the last column, where some terminals wrap.
  const width = Math.min(columns - text.length - percent.length - 4, MAX_BAR_WIDTH);
  const line =
    width < MIN_BAR_WIDTH
      ? `${percent.trimStart()}${text}`
      : `[${part === undefined ? block(frame, width) : filled(limited(part), width)}] ${percent}${text}`;
  return line.length < columns ? line : `${line.slice(0, columns - 2)}…`;
}

function filled(part: number, width: number): string {
  return '#'.repeat(Math.round(part * width)).padEnd(width, '-');
}

/** A block that moves back and forth, for progress whose end is not known. */
function block(frame: number, width: number): string {
  const way = width - Math.min(BLOCK_WIDTH, width - 1);
  const before = way - Math.abs((frame % (2 * way)) - way);
  return `${'-'.repeat(before)}${'#'.repeat(width - way)}`.padEnd(width, '-');
}

function limited(part: number): number {
  return Math.min(Math.max(part, 0), 1);
}
