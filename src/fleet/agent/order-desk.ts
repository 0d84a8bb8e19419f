import { type Job, UnrecoverableError } from 'bullmq';
import { orderRefused, toJobReason } from '../failure.ts';
import type { Action, Order, SignedOrder } from '../orders/order.ts';
import { type TrustedOperator, verifyOrder } from '../orders/sign.ts';
import type { OrderJournal } from './order-journal.ts';
import { isPassing } from './step-failure.ts';

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

  constructor(context: DeskContext) {
    this.#context = context;
  }

  /** The function of a worker. Errors that no other attempt can mend end the job. */
  async process(
    job: Job<OrderJob>,
    signal: AbortSignal,
    carryOut: (accepted: AcceptedOrder) => Promise<unknown>,
  ): Promise<unknown> {
    const { fleet, name, operators, journal } = this.#context;
    let order: Order | undefined;
    try {
      const now = Date.now();
      // An order that has begun in time may be tried again after that.
      const begun = beginningOf(job, journal);
      order = verifyOrder(job.data.order, { fleet, operators, now: begun ?? now });
      if (order.host !== name) throw orderRefused(`the order is for ${order.host}, not ${name}`);
      const { id, expiresAt } = order;
      const known = journal.get(id);
      if (known?.state === 'done') return known.outcome;
      if (known?.state === 'failed')
        throw orderRefused(`the order was carried out: ${known.reason}`);
      if (known?.state === 'cancelled') throw orderRefused('the order was cancelled');
      if (!known) await journal.write(id, expiresAt, { state: 'begun' });
      const note = (outcome: unknown) => journal.write(id, expiresAt, { state: 'done', outcome });
      const outcome = await carryOut({ order, signed: job.data.order, job, signal, note });
      if (journal.get(id)?.state !== 'done') await note(outcome);
      return outcome;
    } catch (error) {
      const reason = toJobReason(error);
      const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
      if (isPassing(error) && !isLast) throw new Error(reason);
      if (order && journal.get(order.id)?.state === 'begun') {
        await journal.write(order.id, order.expiresAt, { state: 'failed', reason });
      }
      throw new UnrecoverableError(reason);
    }
  }
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
