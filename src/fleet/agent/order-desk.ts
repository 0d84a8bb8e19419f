import { type Job, UnrecoverableError } from 'bullmq';
import type { CriuError } from '../../errors.ts';
import { fleetFailure, orderRefused, toJobReason } from '../failure.ts';
import type { Action, Order, SignedOrder } from '../orders/order.ts';
import { type TrustedOperator, verifyOrder } from '../orders/sign.ts';
import type { OrderJournal } from './order-journal.ts';
import { isPassing, TryLater } from './step-failure.ts';

/** The data of a job for a host. */
export interface OrderJob {
  readonly order: SignedOrder;
}

/** An order that may be carried out. */
export interface AcceptedOrder<A extends Action = Action> {
  readonly order: Order<A>;
  readonly signed: SignedOrder;
  readonly job: Job<OrderJob>;
  readonly signal: AbortSignal;
  /** Durably notes what the order has resulted in, before its traces go. */
  note(outcome: unknown): Promise<void>;
}

/** What an order desk knows of its host. */
export interface DeskContext {
  readonly fleet: string;
  readonly name: string;
  readonly operators: readonly TrustedOperator[];
  readonly journal: OrderJournal;
}

/** Judges each order that comes in a job, and has it carried out once only. */
export class OrderDesk {
  readonly #context: DeskContext;
  readonly #underWay = new Set<string>();

  constructor(context: DeskContext) {
    this.#context = context;
  }

  /** The function of a worker. Errors that no other attempt can mend end the job. */
  async process(
    job: Job<OrderJob>,
    signal: AbortSignal,
    carryOut: (accepted: AcceptedOrder) => Promise<unknown>,
  ): Promise<unknown> {
    let order: Order | undefined;
    try {
      order = this.#judge(job);
      const known = this.#context.journal.get(order.id);
      if (known?.state === 'done') return known.outcome;
      return await this.#carryOutOnce(order, { job, signal }, carryOut);
    } catch (error) {
      throw await this.#conclude(job, order, error);
    }
  }

  /** @throws CriuError ERR_CRIU_FLEET_REFUSED */
  #judge(job: Job<OrderJob>): Order {
    const { fleet, name, operators, journal } = this.#context;
    // An order that has begun in time may be tried again after that.
    const now = beginningOf(job, journal) ?? Date.now();
    const order = verifyOrder(job.data.order, { fleet, operators, now });
    if (order.host !== name) throw orderRefused(`the order is for ${order.host}, not ${name}`);
    const known = journal.get(order.id);
    if (known?.state === 'cancelled') throw orderRefused('the order was cancelled');
    if (known?.state !== 'failed') return order;
    throw orderRefused(`the order was carried out: ${known.reason}`);
  }

  async #carryOutOnce(
    order: Order,
    work: Pick<AcceptedOrder, 'job' | 'signal'>,
    carryOut: (accepted: AcceptedOrder) => Promise<unknown>,
  ): Promise<unknown> {
    const { journal } = this.#context;
    const { id, expiresAt, action } = order;
    // The queue takes an order for abandoned if this process has been busy for too long.
    if (this.#underWay.has(id)) throw new TryLater('the order is still being carried out');
    const hasBegun = journal.get(id) !== undefined;
    if (hasBegun && action.kind === 'run') throw mayHaveStarted(action.workload.name);
    this.#underWay.add(id);
    try {
      if (!hasBegun) await journal.write(id, expiresAt, { state: 'begun' });
      const note = (outcome: unknown) => journal.write(id, expiresAt, { state: 'done', outcome });
      const outcome = await carryOut({ order, signed: work.job.data.order, ...work, note });
      if (journal.get(id)?.state !== 'done') await note(outcome);
      return outcome;
    } finally {
      this.#underWay.delete(id);
    }
  }

  /** The error with which the job ends, or is tried again. */
  async #conclude(job: Job<OrderJob>, order: Order | undefined, error: unknown): Promise<Error> {
    const { journal } = this.#context;
    const reason = toJobReason(error);
    const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    // A program is started once, whatever becomes of it.
    const isRun = order?.action.kind === 'run';
    const isWorthIt = error instanceof TryLater || (isPassing(error) && !isRun);
    if (isWorthIt && !isLast) return new Error(reason);
    if (order && !this.#underWay.has(order.id) && journal.get(order.id)?.state === 'begun') {
      await journal.write(order.id, order.expiresAt, { state: 'failed', reason });
    }
    return new UnrecoverableError(reason);
  }
}

function mayHaveStarted(name: string): CriuError {
  const reason = `an earlier agent has ended while it started ${name}: look whether it runs, and register it`;
  return fleetFailure('run', reason);
}

/** When an order that has begun was signed; undefined if it has not begun. Its job is not trusted to say so. */
function beginningOf({ data }: Job<OrderJob>, journal: OrderJournal): number | undefined {
  try {
    const { id, issuedAt } = JSON.parse(data.order.body) as Order;
    return journal.get(id)?.state === 'begun' ? issuedAt : undefined;
  } catch {
    return undefined;
  }
}
