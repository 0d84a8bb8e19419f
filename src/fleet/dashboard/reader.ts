import type { ServerResponse } from 'node:http';

/** A reader that takes nothing for this long is dropped; it can come back. */
const STALL_MS = 15_000;

/** A page that reads events. What it does not take is not queued: it is sent the changes once it reads again. */
export class Reader {
  readonly #response: ServerResponse;
  #version: number;
  #stalledSince: number | undefined;

  /** @param version what the reader has already */
  constructor(response: ServerResponse, version: number) {
    this.#response = response;
    this.#version = version;
    response.on('drain', () => {
      this.#stalledSince = undefined;
    });
    // A reader that goes away is no failure.
    response.on('error', () => {});
  }

  /** The version that the reader was sent. */
  get version(): number {
    return this.#version;
  }

  /** True if it has taken all that was sent. */
  get isReady(): boolean {
    return this.#stalledSince === undefined;
  }

  /** Sends events, after which the reader has this version. */
  send(text: string, version = this.#version): void {
    this.#version = version;
    if (text !== '' && !this.#response.write(text)) this.#stalledSince ??= performance.now();
  }

  /** Drops the reader if it has taken nothing for too long. */
  dropIfStalled(): void {
    if (this.#stalledSince === undefined) return;
    if (performance.now() - this.#stalledSince > STALL_MS) this.#response.destroy();
  }

  /** Ends the events. */
  end(): void {
    this.#response.end();
  }
}
