import { join } from 'node:path';
import { StateDirectory } from './state-directory.ts';

/** What has become of an order. */
export interface OrderEntry {
  readonly state: 'begun' | 'done' | 'failed' | 'cancelled';
  /** When the order can be forgotten, because it has expired by then, in milliseconds since 1970. */
  readonly forgetAt: number;
  /** What it has resulted in. */
  readonly outcome?: unknown;
  /** Why it has failed. */
  readonly reason?: string;
}

/** After this time no clock takes an order for valid. */
const AFTER_EXPIRY_MS = 3_600_000;

/** What a host remembers of orders, so that each is carried out once, whatever Redis says. */
export class OrderJournal {
  readonly #files: StateDirectory<OrderEntry>;
  #entries = new Map<string, OrderEntry>();

  constructor(directory: string) {
    this.#files = new StateDirectory(join(directory, 'orders'));
  }

  async load(): Promise<void> {
    this.#entries = await this.#files.load();
    await this.prune();
  }

  get(id: string): OrderEntry | undefined {
    return this.#entries.get(id);
  }

  /** @param expiresAt when the order expires, in milliseconds since 1970 */
  async write(id: string, expiresAt: number, entry: Omit<OrderEntry, 'forgetAt'>): Promise<void> {
    const whole = { ...entry, forgetAt: expiresAt + AFTER_EXPIRY_MS };
    this.#entries.set(id, whole);
    await this.#files.write(id, whole);
  }

  /** Forgets orders that have expired. */
  async prune(): Promise<void> {
    const now = Date.now();
    for (const [id, { forgetAt }] of this.#entries) {
      if (forgetAt > now) continue;
      this.#entries.delete(id);
      await this.#files.remove(id);
    }
  }
}
