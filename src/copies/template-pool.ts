import { setTimeout as sleep } from 'node:timers/promises';
import { deferred } from '../concurrency/deferred.ts';
import { CriuError, invalid } from '../errors.ts';
import { checkValue, readOptions } from '../options/check.ts';
import { integer } from '../options/kinds.ts';
import type { TemplateCopy } from './copy.ts';
import {
  type CopyEnvironment,
  type CopyIdentity,
  checkCopyEnvironment,
  checkCopyIdentity,
} from './copy-options.ts';
import type { RestoredCopy } from './restored-copy.ts';
import type { Template } from './template.ts';

const NEW = 'new TemplatePool';
const TAKE = 'take';
/** The largest pool: a larger one would be a mistake. */
const MAX_SIZE = 10_000;
/** How long a pool waits after a copy that it could not make, in milliseconds: longer each time. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;

/** Options of a {@link TemplatePool}: how many copies it keeps, and what they are restored into. */
export interface TemplatePoolOptions extends CopyEnvironment {
  /** How many copies are kept ready: 1 to 10000. */
  size: number;
}

/**
 * Keeps copies of a template that are restored and stopped before their first instruction: {@link TemplatePool.take}
 * only lets one of them run. Those that are taken are replaced in the background, one after the other. A copy that is
 * kept takes memory, but no processor time. The pool does not keep Node running, and what it keeps ends with this
 * process.
 *
 * @example
 * ```ts
 * await using pool = new TemplatePool(template, { size: 4, publish: [{ to: 8080 }] });
 * const copy = await pool.take({ env: { TENANT: 'blue' } });
 * ```
 */
export class TemplatePool implements AsyncDisposable {
  /** How many copies are kept ready. */
  readonly size: number;
  readonly #template: Template;
  readonly #environment: CopyEnvironment;
  readonly #kept = new Set<RestoredCopy>();
  readonly #closing = new AbortController();
  /** Resolves when a copy was made, or could not be made. */
  #changed = deferred<void>();
  /** Why the last copy could not be made; undefined if it could. */
  #failure: CriuError | undefined;
  #filling: Promise<void> | undefined;

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
  constructor(template: Template, options: TemplatePoolOptions) {
    const { size, ...environment } = readOptions(NEW, options);
    this.size = checkValue(NEW, 'size', integer(1, MAX_SIZE), size);
    this.#environment = checkCopyEnvironment(NEW, environment);
    const fixed = this.#environment.publish?.find(({ port = 0 }) => port !== 0);
    if (fixed)
      throw invalid(NEW, 'publish', 'port 0, because its copies run side by side', fixed.port);
    this.#template = template;
    this.#fill();
  }

  /** How many copies are ready now. */
  get available(): number {
    return this.#kept.size;
  }

  /**
   * Resolves when the pool is full.
   * @throws CriuError as {@link Template.start} does, if a copy cannot be made; ERR_CRIU_CLOSED
   */
  async filled(): Promise<void> {
    while (this.#kept.size < this.size) {
      this.#assertOpen('filled');
      if (this.#failure) throw this.#failure;
      await this.#changed.promise;
    }
  }

  /**
   * Lets a copy run that is ready. If there is none, it starts one.
   * @throws CriuError as {@link Template.start} does; ERR_CRIU_CLOSED
   */
  async take(options: CopyIdentity = {}): Promise<TemplateCopy> {
    this.#assertOpen(TAKE);
    const identity = checkCopyIdentity(TAKE, options, this.#template.hasGuest);
    const [kept] = this.#kept;
    if (!kept) return await this.#template.launch(TAKE, this.#environment, identity);
    this.#kept.delete(kept);
    const taken = this.#template.run(TAKE, kept, identity, this.#environment);
    // Another restore would slow down the copy that somebody waits for.
    taken.then(this.#fill, this.#fill);
    return await taken;
  }

  /** Ends the copies that nobody has taken. Those that were taken run on. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#announce();
    await this.#filling;
    await Promise.all([...this.#kept].map((copy) => copy.end()));
  }

  /** The same as {@link TemplatePool.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertOpen(operation: string): void {
    if (!this.#closing.signal.aborted) return;
    throw new CriuError('ERR_CRIU_CLOSED', `${operation}: this pool is closed`, { operation });
  }

  readonly #fill = (): void => {
    this.#filling ??= this.#makeCopies().finally(() => {
      this.#filling = undefined;
    });
  };

  async #makeCopies(): Promise<void> {
    const { signal } = this.#closing;
    let delayMs = FIRST_DELAY_MS;
    while (!signal.aborted && this.#kept.size < this.size) {
      try {
        this.#keep(await this.#template.hold(NEW, this.#environment, signal));
        this.#failure = undefined;
        delayMs = FIRST_DELAY_MS;
      } catch (error) {
        this.#failure = error as CriuError;
      }
      this.#announce();
      if (!this.#failure) continue;
      await sleep(delayMs, undefined, { signal, ref: false }).catch(() => {});
      delayMs = Math.min(2 * delayMs, LONGEST_DELAY_MS);
    }
  }

  /** Keeps a copy, and replaces it if somebody kills it. */
  #keep(copy: RestoredCopy): void {
    this.#kept.add(copy);
    copy.ended.then(async () => {
      if (!this.#kept.delete(copy)) return;
      await copy.end();
      if (!this.#closing.signal.aborted) this.#fill();
    });
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }
}
