import { type Command, InvalidArgumentError } from 'commander';
import type { Fleet } from '../fleet.ts';
import {
  addConnection,
  addOperator,
  type ConnectionFlags,
  type OperatorFlags,
  withFleet,
  withOperator,
} from './fleet-connection.ts';
import { positive } from './fleet-values.ts';
import { addHelp } from './help.ts';

interface ShortOrder {
  readonly verb: string;
  readonly argument: readonly [term: string, help: string];
  readonly summary: string;
  readonly description: string;
  readonly examples: string;
  /** Carries it out; returns what is printed. */
  order(fleet: Fleet, target: string): Promise<string>;
}

/** Adds a verb whose order takes a moment. */
function addOrder(parent: Command, given: ShortOrder): void {
  const { verb, argument, summary, description, examples, order } = given;
  const command = addHelp(parent.command(verb), examples)
    .summary(summary)
    .description(description)
    .argument(...argument);
  addOperator(command).action(async (target: string, flags: OperatorFlags) => {
    await withOperator(flags, async ({ fleet, output }) => {
      const text = await order(fleet, target);
      output.result({ done: verb, target }, text);
    });
  });
}

const host = ['<host>', 'the host'] as const;

/** Adds the verb `fleet cordon`. */
export function addCordon(fleet: Command): void {
  addOrder(fleet, {
    ...{ verb: 'cordon', argument: host },
    summary: 'keep new workloads away from a host',
    description: 'Keep new workloads away from a host; those that it has stay.',
    examples: '\n  $ node-criu fleet cordon host-a',
    async order(fleet, target) {
      await fleet.cordon(target);
      return `${target} takes no new workloads`;
    },
  });
}

/** Adds the verb `fleet uncordon`. */
export function addUncordon(fleet: Command): void {
  addOrder(fleet, {
    ...{ verb: 'uncordon', argument: host },
    summary: 'let new workloads come to a host again',
    description: 'Let new workloads come to a host again.',
    examples: '\n  $ node-criu fleet uncordon host-a',
    async order(fleet, target) {
      await fleet.uncordon(target);
      return `${target} takes workloads`;
    },
  });
}

/** Adds the verb `fleet undrain`. */
export function addUndrain(fleet: Command): void {
  addOrder(fleet, {
    ...{ verb: 'undrain', argument: host },
    summary: 'end a drain, and let workloads come again',
    description:
      'End a drain: the moves from the host that have not switched over are cancelled, and it takes workloads again. What ' +
      'has moved away does not come back.',
    examples: '\n  $ node-criu fleet undrain host-a',
    async order(fleet, target) {
      await fleet.undrain(target);
      return `${target} takes workloads`;
    },
  });
}

/** Adds the verb `fleet cancel`. */
export function addCancel(fleet: Command): void {
  addOrder(fleet, {
    verb: 'cancel',
    argument: ['<operation>', 'its id, which node-criu fleet operations lists'],
    summary: 'cancel an operation',
    description:
      'Cancel the moves of an operation that have not switched over: their workloads stay where they are.',
    examples: '\n  $ node-criu fleet cancel 0f7be7d2-5dc9-4d0d-9a5e-6d4b5a3b2c11',
    async order(fleet, target) {
      const operation = await fleet.operation(target);
      await operation.cancel();
      return `operation ${target}: what had not switched over is cancelled`;
    },
  });
}

/** Adds the verb `fleet forget`. */
export function addForget(fleet: Command): void {
  addOrder(fleet, {
    verb: 'forget',
    argument: ['<name>', 'the workload'],
    summary: 'remove a workload that has ended from the fleet',
    description: 'Remove a workload that has ended from the fleet, so that its name is free again.',
    examples: '\n  $ node-criu fleet forget web',
    async order(fleet, target) {
      await fleet.forget(target);
      return `${target} is forgotten`;
    },
  });
}

const limitExamples = `
  $ node-criu fleet limit 10
  $ node-criu fleet limit none`;

/** Adds the verb `fleet limit`. */
export function addLimit(fleet: Command): void {
  const command = addHelp(fleet.command('limit'), limitExamples)
    .summary('set how many moves of the whole fleet may be under way at once')
    .description(
      'Set how many moves of the whole fleet may be under way at once, beside the limits of each host. It holds for moves ' +
        'that have not begun.',
    )
    .argument('<moves>', 'a number, or none', limitOf);
  addConnection(command).action(async (moves: number | 'none', flags: ConnectionFlags) => {
    await withFleet(flags, async ({ fleet, output }) => {
      const limit = moves === 'none' ? undefined : moves;
      await fleet.limitMoves(limit);
      const text =
        limit === undefined ? 'moves at once: no limit' : `moves at once: at most ${limit}`;
      output.result({ moves: limit }, text);
    });
  });
}

function limitOf(text: string): number | 'none' {
  if (text === 'none') return text;
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('Give a positive integer, or none.');
  return positive(text);
}
