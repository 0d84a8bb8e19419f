import type { createLogUpdate } from 'log-update';
import { factsOf, toldOf } from './failure.ts';

/** How often progress is told to who reads plain lines, in milliseconds. */
const PLAIN_INTERVAL_MS = 1000;
const BAR_WIDTH = 16;
const BLOCK_WIDTH = 3;

/** What happens, for programs: `event` says which of its other properties there are. */
export interface Told {
  readonly event: 'step' | 'progress' | 'finding' | 'listening' | 'result' | 'error';
  readonly [property: string]: unknown;
}

/**
 * What a verb tells. On standard output is the result, or with `--json` a line for everything. On
 * standard error is what happens: on a terminal a bar that moves, else plain lines.
 */
export class Output {
  readonly #json: boolean;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  #toldAt = -Infinity;
  #told = 0;

  private constructor(json: boolean, live: ReturnType<typeof createLogUpdate> | undefined) {
    this.#json = json;
    this.#live = live;
  }

  static async open(json: boolean): Promise<Output> {
    // A terminal of no size has no place for a bar.
    const { isTTY, columns } = process.stderr;
    if (json || !isTTY || columns === 0) return new Output(json, undefined);
    const { createLogUpdate } = await import('log-update');
    // With the cursor hidden a signal would have to be caught, to show it again.
    return new Output(json, createLogUpdate(process.stderr, { showCursor: true }));
  }

  /** Something that happens once. */
  step(facts: Omit<Told, 'event'>, text: string): void {
    this.#toldAt = performance.now();
    if (this.#json) this.#line({ event: 'step', ...facts });
    else this.say(text);
  }

  /**
   * How far it is.
   * @param part from 0 to 1, if that can be told
   */
  progress(facts: Omit<Told, 'event'>, text: string, part?: number): void {
    if (this.#json) {
      this.#line({ event: 'progress', ...facts });
    } else if (this.#live) {
      this.#live(`${part === undefined ? movingBar(this.#told++) : bar(part)} ${text}`);
    } else if (performance.now() - this.#toldAt >= PLAIN_INTERVAL_MS) {
      this.#toldAt = performance.now();
      this.say(text);
    }
  }

  /** Something that was found. */
  finding(facts: object, text: string): void {
    if (this.#json) this.#line({ event: 'finding', ...facts });
    else this.#print(text);
  }

  /** That others may come now. */
  listening(facts: object, text: string): void {
    if (this.#json) this.#line({ event: 'listening', ...facts });
    else this.#print(text);
  }

  /** What came of it. */
  result(facts: object, text: string): void {
    if (this.#json) this.#line({ event: 'result', ...facts });
    else this.#print(text);
  }

  /** A line for people, whatever reads standard output. */
  say(text: string): void {
    this.#live?.clear();
    process.stderr.write(`${text}\n`);
  }

  /** Takes the bar away. */
  close(): void {
    this.#live?.clear();
  }

  #print(text: string): void {
    this.#live?.clear();
    if (text !== '') process.stdout.write(`${text}\n`);
  }

  #line(told: Told): void {
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
}

/** An error, for people and, with `--json`, for programs too. */
export function tellError(error: unknown, json: boolean): void {
  process.stderr.write(`${toldOf(error)}\n`);
  if (json) tellFacts(factsOf(error));
}

/** An error for programs. */
export function tellFacts(facts: object): void {
  process.stdout.write(`${JSON.stringify({ event: 'error', ...facts })}\n`);
}

function bar(part: number): string {
  const full = Math.round(Math.min(Math.max(part, 0), 1) * BAR_WIDTH);
  const percent = `${Math.floor(Math.min(Math.max(part, 0), 1) * 100)} %`;
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${percent.padStart(5)}`;
}

/** Where nobody can tell how far it is: a block that goes to and fro. */
function movingBar(frame: number): string {
  const way = BAR_WIDTH - BLOCK_WIDTH;
  const before = way - Math.abs((frame % (2 * way)) - way);
  return `[${'-'.repeat(before)}${'#'.repeat(BLOCK_WIDTH)}${'-'.repeat(way - before)}]`;
}
