import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetOperationView } from '../operation-view.ts';
import type { FleetView } from '../view.ts';
import { ChangeLog } from './change-log.ts';
import { Changes } from './changes.ts';
import { Reader } from './reader.ts';
import { tablesOf } from './rows.ts';
import type { DashboardSource } from './source.ts';

/** Readers are sent the time this often, so that they notice when nothing comes any more. */
const BEAT_MS = 5000;
/** A fleet that answers later than this is in trouble. */
const SLOW_MS = 5000;
/** The fleet is asked at least this often, also if it tells of its changes. */
const MAX_QUIET_MS = 10_000;

/** What is known of a fleet. */
export interface Known {
  readonly view: FleetView;
  readonly operations: readonly FleetOperationView[];
}

/** Looks at a fleet while somebody reads, and sends what changes. */
export class Feed {
  readonly #source: DashboardSource;
  readonly #intervalMs: number;
  readonly #log: ChangeLog;
  readonly #readers = new Set<Reader>();
  readonly #closing = new AbortController();
  readonly #beat: NodeJS.Timeout;
  /** A look at the fleet, which all who ask meanwhile share. */
  #looking: Promise<Known> | undefined;
  #known: { readonly at: number; readonly known: Known } | undefined;
  #trouble: string | undefined;
  #isRunning = false;

  constructor(source: DashboardSource, intervalMs: number) {
    this.#source = source;
    this.#intervalMs = intervalMs;
    this.#log = new ChangeLog(source.name);
    this.#beat = setInterval(() => this.#sendBeat(), Math.min(BEAT_MS, intervalMs * 5));
  }

  /** The number of readers. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Sends events to a response until it is closed. */
  subscribe(response: ServerResponse, lastEventId: unknown): void {
    const reader = new Reader(response, this.#log.versionOf(lastEventId));
    this.#readers.add(reader);
    response.on('close', () => this.#readers.delete(reader));
    response.on('drain', () => this.#push(reader));
    response.write('retry: 1000\n\n');
    this.#push(reader);
    reader.send(this.#status());
    if (!this.#isRunning) void this.#run();
  }

  /** What is known of the fleet, as of now or less than an interval ago. */
  async latest(): Promise<Known> {
    const { at = -Infinity, known } = this.#known ?? {};
    return known && performance.now() - at < this.#intervalMs ? known : await this.#sharedLook();
  }

  /** Ends all readers. */
  close(): void {
    clearInterval(this.#beat);
    this.#closing.abort();
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  async #sharedLook(): Promise<Known> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return await this.#looking;
  }

  async #look(): Promise<Known> {
    const [view, operations] = await Promise.all([this.#source.view(), this.#source.operations()]);
    const known = { view, operations };
    this.#known = { at: performance.now(), known };
    return known;
  }

  /** Looks at the fleet until nobody reads any more. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    const over = new AbortController();
    const { signal: closing } = this.#closing;
    const signal = AbortSignal.any([over.signal, closing]);
    const changes = new Changes(this.#source, signal);
    while (this.#readers.size > 0 && !signal.aborted) {
      const from = performance.now();
      changes.forget();
      await this.#refresh();
      const rest = from + this.#intervalMs - performance.now();
      await sleep(Math.max(0, rest), undefined, { signal }).catch(() => {});
      if (this.#trouble === undefined) await changes.next(MAX_QUIET_MS - this.#intervalMs, signal);
    }
    over.abort();
    this.#isRunning = false;
  }

  async #refresh(): Promise<void> {
    const slow = setTimeout(() => this.#setTrouble('the fleet does not answer'), SLOW_MS);
    try {
      const { view, operations } = await this.#sharedLook();
      this.#log.update(tablesOf(view, operations));
      this.#setTrouble(undefined);
    } catch (error) {
      this.#setTrouble(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(slow);
    }
    for (const reader of this.#readers) this.#push(reader);
  }

  #push(reader: Reader): void {
    if (!reader.isReady) return;
    const { version } = this.#log;
    reader.send(this.#log.since(reader.version), version);
  }

  #setTrouble(message: string | undefined): void {
    if (message === this.#trouble) return;
    this.#trouble = message;
    for (const reader of this.#readers) if (reader.isReady) reader.send(this.#status());
  }

  #sendBeat(): void {
    for (const reader of this.#readers) {
      reader.dropIfStalled();
      if (reader.isReady) reader.send(this.#status());
    }
  }

  /** Tells that the dashboard is there, what time it has, and what is wrong with the fleet. */
  #status(): string {
    return `event: status\ndata: ${JSON.stringify({ at: Date.now(), trouble: this.#trouble })}\n\n`;
  }
}
