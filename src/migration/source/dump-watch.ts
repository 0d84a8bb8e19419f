import { Cleanup } from '../../cleanup/cleanup.ts';
import { type Hooks, overrideHooks } from '../../options/hooks.ts';
import { statusOf } from '../../procfs/status.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import { isOwnCriu } from '../../worker/child.ts';
import { logsOf, type OutgoingJournal, type UndoOptions } from '../journal/outgoing-journal.ts';
import { namesOf } from '../protocol/identity.ts';

/**
 * Observes the dump: when it froze the tree, which criu makes it, and the network lock that it leaves on
 * this host.
 */
export class DumpWatch implements AsyncDisposable {
  readonly #pid: number;
  readonly #undo: UndoOptions;
  readonly #journal: OutgoingJournal;
  #frozenAt: number | undefined;
  #cleanup: Promise<Cleanup> | undefined;

  constructor(pid: number, undo: UndoOptions, journal: OutgoingJournal) {
    this.#pid = pid;
    this.#undo = undo;
    this.#journal = journal;
  }

  /** The caller's hooks of the dump, with the observation added. */
  hooks(own: Hooks | undefined): Hooks {
    const onNotify: Hooks['onNotify'] = async (notification) => {
      // The first notification after CRIU has frozen the tree.
      if (notification.script === 'query-ext-files') {
        this.#frozenAt = performance.now();
        this.#cleanup = Cleanup.late(descendantsOf(this.#pid), this.#undo);
        this.#cleanup.catch(() => {});
        this.#noteCriu();
      }
      await own?.onNotify?.(notification);
    };
    return overrideHooks(own, { onNotify });
  }

  /**
   * Notes which criu holds the tree. The dump does not wait for the disk: if this process dies before the
   * line is there, criu fails at its next notification and rolls back.
   */
  #noteCriu(): void {
    const { tracer = 0 } = statusOf(this.#pid) ?? {};
    const criu = namesOf([tracer].filter(isOwnCriu));
    this.#journal.write('offered', { criu }).catch(() => {});
  }

  /** How long the tree has been frozen, in milliseconds. */
  get frozenForMs(): number {
    const now = performance.now();
    return now - (this.#frozenAt ?? now);
  }

  /**
   * Removes the network lock that CRIU leaves for a restore on this host. A failure does not make the
   * migration fail, since the copy runs already.
   * @returns what could not be removed
   */
  async unlock(images: string): Promise<string[]> {
    try {
      const log = await logsOf(images, this.#undo.logFile);
      return (await (await this.#cleanup)?.unlock(log)) ?? [];
    } catch (error) {
      return [`the network lock (${(error as Error).message})`];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#cleanup?.catch(() => undefined))?.[Symbol.dispose]();
  }
}
