import type { Socket } from 'node:net';
import { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError, invalid } from '../errors.ts';
import type { AbortReason } from '../failure/cause.ts';
import { native } from '../native/index.ts';
import type { Client } from '../operations/client.ts';
import type { DumpOptions, DumpResult, ServeCommand } from '../operations/dump.ts';
import { requireSupport } from '../operations/probe.ts';
import { checkOptions, checkValue } from '../options/check.ts';
import { operationOptions } from '../options/operation-options.ts';
import { refuseOpenNetwork } from '../options/reach.ts';
import { tlsMaterialOrNone } from '../options/tls.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { Hooks, PageServerOptions } from '../options/types.ts';
import type { Decision } from '../precopy/policy.ts';
import { type PreCopied, preCopied } from '../precopy/round.ts';
import { locate } from '../worker/binary.ts';
import { type Departure, LazyPageServer } from './lazy-page-server.ts';
import { PageLedger } from './page-ledger.ts';
import { PAGES_AHEAD } from './page-protocol.ts';
import { requireLargePipes } from './pipes.ts';
import { StoppedTree } from './stopped-tree.ts';

/** How far the pages of a lazy dump are. */
export interface LazyProgress {
  /** Pages that were left in the processes. */
  readonly pages: number;
  /** How many of them have been sent to the destination, each counted once. */
  readonly pagesFetched: number;
}

/** Options of {@link Criu.lazyDump}: those of a dump, and where its pages are to be had. */
export interface LazyDumpOptions
  extends Omit<
    DumpOptions,
    'lazyPages' | 'leaveRunning' | 'leaveStopped' | 'statusFd' | 'pageServer'
  > {
  /** Where to listen for the destination. Default: 127.0.0.1, and any free port. */
  pageServer?: Omit<PageServerOptions, 'fd'>;
  /**
   * Asked when the destination has taken leave: whether its copy is well, so that the original may
   * end. If not, or if it throws, the original runs on. By default it ends if every page was
   * fetched; otherwise it stays stopped, for a destination may do without pages that its copy has
   * freed meanwhile, and may also have failed.
   */
  confirm?(progress: LazyProgress): boolean | Promise<boolean>;
}

/** How a lazy dump went. */
export interface LazyDumpResult extends DumpResult, LazyProgress {
  /** After {@link preCopy}: why it came to the dump, and what that was expected to take. */
  readonly preCopy?: PreCopied;
}

/** What a {@link LazySource} is the end of. */
export interface LazyDump {
  readonly operation: string;
  readonly pid: number;
  readonly imagesDirectory: string;
  readonly given: LazyDumpOptions;
  readonly client: Client;
  /** Does the dump. */
  readonly dump: (options: DumpOptions, serving: ServeCommand) => Promise<DumpResult>;
  /** The connection of the destination, in place of one to wait for. */
  readonly peer?: Socket;
  /** Gives our end of a connection to criu, if that has inherited both ends already. */
  readonly near?: () => number;
  /** What was expected of the dump, if it comes after a pre-copy. */
  readonly decision?: Decision | undefined;
  /** Whether the original is to stay stopped whatever becomes of criu: somebody else decides. */
  readonly isKept?: () => boolean;
  /** Bytes that may go to that peer in a second. */
  readonly rateLimit?: number | undefined;
}

/** Why criu was told to give up. */
interface GivenUp extends AbortReason {
  /** The original is to run on, whatever the destination has. */
  readonly resume?: boolean;
  /** The original is not to run again. */
  readonly discard?: boolean;
}

/** The first CRIU that tells when it is ready to serve. */
const SINCE = 31500;
/** The numbers of the two ends in criu. */
const FAR = 32;
const NEAR = 33;
const REFUSED = ['lazyPages', 'leaveRunning', 'leaveStopped', 'statusFd'] as const;

/** A client without the defaults that are for other dumps. */
export function withoutOthers(client: Client): Client {
  const others: readonly string[] = [...REFUSED, 'pageServer'];
  const defaults = Object.entries(client.defaults).filter(([name]) => !others.includes(name));
  return { ...client, defaults: Object.fromEntries(defaults) };
}

/**
 * What criu inherits of a connection to serve on. It holds our end as well: it takes the end of the
 * connection for the end of its work, and if this process died the original would be lost.
 */
export function servedOn(near: number, far: number): ServeCommand['inherited'] {
  return [
    [FAR, far],
    [NEAR, near],
  ];
}

/**
 * The source of a lazy dump: processes that are frozen, their images but for most of the memory on
 * disk, and that memory to be had at `address` and `port`, by one destination. The original is kept
 * stopped by SIGSTOP besides, so that it does not run on beside its copy whatever ends criu.
 *
 * If this process dies meanwhile, criu goes on holding the original frozen and can serve no more:
 * end that criu, and continue the processes (SIGCONT) or kill them, as the end of the destination is.
 */
export class LazySource implements AsyncDisposable {
  /** The root of the tree. */
  readonly pid: number;
  /** Where the images are that the destination needs. */
  readonly imagesDirectory: string;
  /** The address that it listens on; empty in a migration, which has its own connection. */
  readonly address: string;
  /** The port that it listens on, also if the kernel chose it; 0 in a migration. */
  readonly port: number;
  /**
   * Resolves when the destination has what it needs and the original has ended. Rejects with
   * ERR_CRIU_LAZY_PAGES if the connection breaks off or the destination does without some pages,
   * and as a dump does if criu fails or it is cancelled. The `workload` of the error says what
   * became of the original: `running` if no page was fetched, else `stopped`, until
   * {@link LazySource.resume} or {@link LazySource.discard}.
   */
  readonly done: Promise<LazyDumpResult>;
  readonly #gate: LazyPageServer;
  readonly #ledger: PageLedger;
  readonly #tree: StoppedTree;
  readonly #confirm: LazyDumpOptions['confirm'];
  readonly #isKept: () => boolean;
  /** Says that criu has to be killed. */
  readonly #kill: () => void;
  #graceMs = 0;
  /** Runs once criu was told to give up. */
  #grace: NodeJS.Timeout | undefined;
  /** criu has ended. */
  #over = false;
  /** The original was killed after that. */
  #discarded = false;
  /** What criu was told, if it was. */
  #told: 'finish' | GivenUp | undefined;

  /** @internal Resolves when the source is ready to serve. */
  static async start(lazy: LazyDump): Promise<LazySource> {
    const { operation, pid, client, imagesDirectory } = lazy;
    const { pageServer, confirm, ...given } = lazy.given;
    const { signal, deadlineMs, gracePeriodMs, insecure, hooks: own, ...options } = given;
    if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff) {
      throw invalid(operation, 'pid', 'a positive integer', pid);
    }
    const checked = { signal, deadlineMs, gracePeriodMs, hooks: own };
    checkOptions(operation, checked, operationOptions);
    using limits = new Cancellation(operation, { signal, deadlineMs, gracePeriodMs });
    for (const option of REFUSED)
      if (Object.hasOwn(given, option)) throw refused(operation, option);
    if (confirm !== undefined && typeof confirm !== 'function') {
      throw invalid(operation, 'confirm', 'a function', confirm);
    }
    const place = placeOf(operation, pageServer);
    const merged = withDefaults('dump', options, client.defaults);
    const { tls } = merged;
    if (tls !== undefined) checkValue(operation, 'tls', tlsMaterialOrNone, tls);
    const forCriu = { ...merged, tls: false, lazyPages: true } as const;
    const { newest, wire } = translate('dump', forCriu, operation);
    if (!lazy.peer) refuseOpenNetwork(operation, place.address, tls, insecure);
    limits.throwIfRequested();
    const binary = await locate(operation, client);
    const needs = { since: SINCE, newest, memTrack: wire.track_mem === true, lazyPages: true };
    await requireSupport(operation, binary, needs, limits);
    await requireLargePipes(operation);

    const stoppedBefore = StoppedTree.before(pid);
    let ends: [number, number] | undefined;
    const newPair = () => {
      ends = native().streamPair(PAGES_AHEAD);
      return ends[0];
    };
    const near = lazy.near ?? newPair;
    const gate = lazy.peer
      ? LazyPageServer.over(near(), lazy.peer, lazy.rateLimit)
      : await LazyPageServer.listen(operation, near, place, tls || undefined);
    try {
      return await new Promise<LazySource>((resolve, reject) => {
        let source: LazySource | undefined;
        let kill: () => void;
        const forceKill = new Promise<void>((isSo) => {
          kill = isSo;
        });
        let frozenAt = performance.now();
        const onNotify: Hooks['onNotify'] = (notification) => {
          if (notification.script === 'query-ext-files') frozenAt = performance.now();
          return own?.onNotify?.(notification);
        };
        const statusReady = async () => {
          const frozenTimeMs = performance.now() - frozenAt;
          await own?.statusReady?.();
          const ledger = await PageLedger.of(imagesDirectory);
          const tree = StoppedTree.stop(pid, stoppedBefore);
          source = new LazySource({ lazy, gate, ledger, tree, dumping, kill, frozenTimeMs });
          resolve(source);
        };
        const serving: ServeCommand = {
          inherited: ends ? servedOn(...ends) : [],
          socket: FAR,
          forceKill,
          failed: async () => source?.failed(),
        };
        const hooks = { ...own, onNotify, statusReady };
        // TLS is for the gate: to criu the connection is a plain one.
        const dumping = lazy.dump({ ...given, hooks, lazyPages: true, tls: false }, serving);
        const early = () => new CriuError('ERR_CRIU_PROTOCOL', `${operation}: criu served nothing`);
        dumping.then(() => reject(early()), reject);
      });
    } catch (error) {
      await gate[Symbol.asyncDispose]();
      throw error;
    } finally {
      // criu has its own by now, or never will.
      if (ends) native().close(ends[1]);
    }
  }

  private constructor(parts: {
    lazy: LazyDump;
    gate: LazyPageServer;
    ledger: PageLedger;
    tree: StoppedTree;
    dumping: Promise<DumpResult>;
    kill: () => void;
    frozenTimeMs: number;
  }) {
    const { lazy, gate, ledger, tree, dumping, kill } = parts;
    this.pid = lazy.pid;
    this.imagesDirectory = lazy.imagesDirectory;
    this.address = gate.address;
    this.port = gate.port;
    this.#gate = gate;
    this.#ledger = ledger;
    this.#tree = tree;
    this.#kill = kill;
    this.#confirm = lazy.given.confirm;
    this.#isKept = lazy.isKept ?? (() => false);
    this.done = this.#untilDone(lazy, dumping, parts.frozenTimeMs);
    // Nobody has to wait for it.
    this.done.catch(() => {});
    gate.departed.then((how) => this.#departed(how));
    gate.open(ledger);
  }

  /** How far it is. */
  get progress(): LazyProgress {
    const { total, missing } = this.#ledger;
    return { pages: total, pagesFetched: total - missing };
  }

  /**
   * Lets the original run on, and ends the source if it has not ended. Only for when the copy is
   * dead, or never was: otherwise both would run.
   * @throws CriuError ERR_CRIU_CLOSED if the original has ended
   */
  async resume(): Promise<void> {
    this.#giveUp({ code: 'ERR_CRIU_ABORTED', text: 'it was told to resume', resume: true });
    await this.#untilOver('resume');
    this.#tree.resume();
  }

  /**
   * Ends the original without waiting for the destination: only for when the copy is well, or is
   * not wanted either.
   * @throws CriuError ERR_CRIU_CLOSED if the original has ended
   */
  async discard(): Promise<void> {
    this.#giveUp({
      code: 'ERR_CRIU_ABORTED',
      text: 'it was told to discard the original',
      discard: true,
    });
    await this.#untilOver('discard');
    this.#discarded = true;
    this.#tree.kill();
  }

  /**
   * Ends the source if it has not ended: the original runs on if nobody has fetched a page yet, and
   * stays stopped otherwise. Idempotent.
   */
  async close(): Promise<void> {
    this.#giveUp({ code: 'ERR_CRIU_CLOSED', text: 'the source was closed' });
    await this.done.catch(() => {});
  }

  /** Same as {@link LazySource.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal criu has ended without success: tells why, and lets the original run on if it may. */
  failed(): AbortReason | undefined {
    const givenUp = this.#told === 'finish' ? undefined : this.#told;
    const mayResume = !givenUp?.discard && (!this.#gate.taken || givenUp?.resume);
    if (mayResume && !this.#isKept()) this.#tree.resume();
    return givenUp;
  }

  async #untilDone(
    lazy: LazyDump,
    dumping: Promise<DumpResult>,
    frozenTimeMs: number,
  ): Promise<LazyDumpResult> {
    const { signal, deadlineMs, gracePeriodMs } = lazy.given;
    using cancellation = new Cancellation(lazy.operation, { signal, deadlineMs, gracePeriodMs });
    this.#graceMs = cancellation.graceMs;
    cancellation.requested.then(() => {
      const { code, cause } = cancellation.reason as CriuError;
      const text = code === 'ERR_CRIU_TIMEOUT' ? 'the deadline passed' : 'it was aborted';
      this.#giveUp({ code, text: `${text} before the destination had every page`, cause });
    });
    try {
      const done = { ...(await dumping), ...this.progress };
      return lazy.decision ? { ...done, preCopy: preCopied(lazy.decision, frozenTimeMs) } : done;
    } finally {
      this.#over = true;
      clearTimeout(this.#grace);
      await this.#gate[Symbol.asyncDispose]();
    }
  }

  async #departed(how: Departure): Promise<void> {
    const { pages, pagesFetched } = this.progress;
    const rest = `${pages - pagesFetched} of ${pages} pages were not fetched`;
    if (how === 'cut') {
      this.#giveUp({
        code: 'ERR_CRIU_LAZY_PAGES',
        text: `the connection to the destination broke off: ${rest}`,
      });
    } else if (this.#confirm) {
      await this.#askFor(this.#confirm);
    } else if (pagesFetched < pages) {
      const text = `the destination took leave, and nobody can tell whether its copy is well: ${rest}`;
      this.#giveUp({ code: 'ERR_CRIU_LAZY_PAGES', text });
    } else {
      this.#finish();
    }
  }

  async #askFor(confirm: NonNullable<LazyDumpOptions['confirm']>): Promise<void> {
    try {
      if (await confirm(this.progress)) this.#finish();
      else {
        const text = 'the copy of the destination is not well, as confirm says';
        this.#giveUp({ code: 'ERR_CRIU_LAZY_PAGES', text, resume: true });
      }
    } catch (cause) {
      const thrown = cause instanceof Error ? cause.message : String(cause);
      const text = `confirm threw: ${thrown}`;
      this.#giveUp({ code: 'ERR_CRIU_HOOK', text, cause, resume: true });
    }
  }

  #finish(): void {
    if (this.#told) return;
    this.#told = 'finish';
    this.#gate.finish();
  }

  #giveUp(why: GivenUp): void {
    if (this.#over) return;
    // Also if it was told to finish, and does not come to an end.
    this.#grace ??= setTimeout(this.#kill, this.#graceMs);
    if (this.#told) return;
    this.#told = why;
    this.#gate.giveUp();
  }

  async #untilOver(operation: string): Promise<void> {
    const { pid } = this;
    const isDone = await this.done.then(
      () => true,
      () => false,
    );
    if (!isDone && !this.#discarded && !this.#tree.hasEnded) return;
    const message = `${operation}: process ${pid} has ended`;
    throw new CriuError('ERR_CRIU_CLOSED', message, { operation, pid, workload: 'gone' });
  }
}

function placeOf(
  operation: string,
  given: LazyDumpOptions['pageServer'] = {},
): { address: string; port: number } {
  const takes = '{ address?: string, port?: 0 to 65535 }';
  if (typeof given !== 'object' || given === null) {
    throw invalid(operation, 'pageServer', takes, given);
  }
  const { address = '127.0.0.1', port = 0, ...rest } = given;
  const isPort = Number.isInteger(port) && port >= 0 && port <= 65535;
  if (typeof address !== 'string' || address === '' || !isPort || Object.keys(rest).length > 0) {
    throw invalid(operation, 'pageServer', takes, given);
  }
  return { address, port };
}

function refused(operation: string, option: string): CriuError {
  const message = `${operation}: takes no option ${option}, which it sets by itself`;
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
}
