import { atMost, unlessAborted } from '../../concurrency/deadline.ts';
import type { OutgoingAddress } from '../journal/outgoing-journal.ts';
import {
  bringBackAddresses,
  locateAddresses,
  removeAddresses,
} from './addresses/outgoing-addresses.ts';
import type { MigrateOptions } from './migrate-options.ts';

type SwitchOptions = Pick<MigrateOptions, 'addresses' | 'switchOver' | 'switchBack'>;

/** Moves the addresses, or calls the caller's `switchOver` and, after a failure, `switchBack`. */
export class AddressSwitch {
  readonly #options: SwitchOptions;
  readonly #signal: AbortSignal;
  #located: readonly OutgoingAddress[] = [];
  #switchingOver: Promise<void> | undefined;

  /** @param signal tells `switchOver` that the migration has failed meanwhile */
  constructor(options: SwitchOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** True if something moves, so that something may have to be moved back. */
  get isNeeded(): boolean {
    const { addresses, switchOver, switchBack } = this.#options;
    return [addresses?.length, switchOver, switchBack].some(Boolean);
  }

  /** True once {@link AddressSwitch.switchOver} was called. */
  get isSwitchedOver(): boolean {
    return this.#switchingOver !== undefined;
  }

  /**
   * Finds the addresses that are to move.
   * @throws CriuError ERR_CRIU_MIGRATION_REFUSED
   */
  async locate(): Promise<readonly OutgoingAddress[]> {
    this.#located = await locateAddresses(this.#options.addresses ?? []);
    return this.#located;
  }

  async switchOver(): Promise<void> {
    this.#switchingOver = this.#moveAway();
    await unlessAborted(this.#signal, this.#switchingOver);
  }

  async #moveAway(): Promise<void> {
    if (this.#options.addresses) await removeAddresses(this.#located);
    else await this.#options.switchOver?.(this.#signal);
  }

  /**
   * Undoes the switch-over if it was called, once it has ended.
   * @param timeoutMs limits the wait for each of the two
   * @returns why that failed
   */
  async switchBack(timeoutMs: number): Promise<Error | undefined> {
    if (!this.#switchingOver) return undefined;
    await atMost(timeoutMs, this.#switchingOver).catch(() => {});
    return await atMost(timeoutMs, this.#moveBack()).then(
      () => undefined,
      (cause: Error) => cause,
    );
  }

  async #moveBack(): Promise<void> {
    if (this.#options.addresses) await bringBackAddresses(this.#located);
    else await this.#options.switchBack?.();
  }
}
