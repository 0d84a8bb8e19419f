import { invalid } from '../../errors.ts';
import { check, checkOptions, object, readOptions, type Shape } from '../../options/check.ts';
import { flag } from '../../options/kinds.ts';
import { milliseconds } from '../../options/operation-options.ts';
import { name } from '../names.ts';
import type { MoveLimits } from '../orders/order.ts';
import type {
  PlacementOptions,
  PlanDrainOptions,
  PlanMoveOptions,
  PlanRebalanceOptions,
} from '../planner/plan-options.ts';

/** Options of `fleet.run()`. */
export interface RunOptions extends PlacementOptions {
  /** The host. Default: one that fits; needed for a process or a container that runs already. */
  readonly on?: string | undefined;
}

/** Options of `fleet.move()`. */
export interface MoveOptions extends PlanMoveOptions {
  /** How long the move may take. */
  readonly limits?: MoveLimits | undefined;
}

/** Options of `fleet.drain()`. */
export interface DrainOptions extends PlanDrainOptions {
  /** How long each move may take. */
  readonly limits?: MoveLimits | undefined;
}

/** Options of `fleet.rebalance()`. */
export interface RebalanceOptions extends PlanRebalanceOptions {
  /** How long each move may take. */
  readonly limits?: MoveLimits | undefined;
}

/** Options of `fleet.recover()`. One of `fenced` and `fence` is needed. */
export interface RecoverOptions extends PlacementOptions {
  /** True: the operator vouches that nothing runs on the host any more, and that nothing will. */
  readonly fenced?: boolean | undefined;
  /**
   * Makes sure of that, for example by turning the host's power off. If it rejects, nothing is restarted.
   * @param host the name of the host
   */
  readonly fence?: ((host: string) => Promise<void>) | undefined;
}

const limits = object<MoveLimits>({ perGiBMs: milliseconds, progressMs: milliseconds });
const limitsShape: Shape<Pick<MoveOptions, 'limits'>> = { limits };
const runShape: Shape<Pick<RunOptions, 'on'>> = { on: name };

/** Checks the host of a new workload; the planner checks the other options. */
export function splitHost(given: RunOptions): RunOptions {
  const options = readOptions('run', given);
  return { ...options, ...checkOptions('run', { on: options.on }, runShape) };
}

const recoverShape: Shape<Pick<RecoverOptions, 'fenced' | 'fence'>> = {
  fenced: flag,
  fence: check('a function', (value) => typeof value === 'function'),
};

/** Checks how the host is fenced; the planner checks the other options. */
export function splitFencing(given: RecoverOptions): RecoverOptions {
  const options = readOptions('recover', given);
  const { fenced, fence } = options;
  const checked = checkOptions('recover', { fenced, fence }, recoverShape);
  if (!fence && fenced !== true) {
    const takes =
      'true once nothing runs on the host any more, or fence a function that makes sure of it: a host that does not answer may still run its workloads';
    throw invalid('recover', 'fenced', takes, fenced);
  }
  return { ...options, ...checked };
}

/** Checks the limits of moves; the planner checks the other options. */
export function splitLimits<T extends Pick<MoveOptions, 'limits'>>(operation: string, given: T): T {
  const options = readOptions(operation, given);
  const checked = checkOptions(operation, { limits: options.limits }, limitsShape);
  return { ...options, ...checked };
}
