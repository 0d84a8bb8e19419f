import { type Command, Option } from 'commander';
import type { FleetOperation, FleetPlan, MoveLimits, PlacementStrategy } from '../fleet.ts';
import { exitCodes } from './exit-code.ts';
import { addQuiet, defined } from './flags.ts';
import {
  addOperator,
  type FleetContext,
  loadFleet,
  type OperatorFlags,
  withFleet,
  withOperator,
} from './fleet-connection.ts';
import { follow } from './fleet-follow.ts';
import { part, positive } from './fleet-values.ts';
import { addHelp, RARE } from './help.ts';
import { eachText } from './pairs.ts';
import { DURATION, milliseconds } from './quantities.ts';

/** The flags of all verbs that plan where workloads go. */
export interface PlannedFlags extends OperatorFlags {
  readonly plan?: boolean;
  readonly detach?: boolean;
  readonly strategy?: PlacementStrategy;
  readonly headroom?: number;
  readonly exclude?: readonly string[];
}

/** The flags of all verbs that move workloads. */
interface MovesFlags extends PlannedFlags {
  readonly perGib?: number;
  readonly stalled?: number;
}

const moveExamples = `
  $ node-criu fleet move web
  web moved from host-a to host-b, down for 31 ms
  $ node-criu fleet move web --to host-c --plan`;

/** Adds the verb `fleet move`. */
export function addMove(fleet: Command): void {
  const command = addHelp(fleet.command('move'), moveExamples)
    .summary('move a workload to another host')
    .description(
      'Move a workload to another host while it runs: to the one that fits best, or to a given one. It stays where it is if ' +
        'that fails.',
    )
    .argument('<name>', 'the workload')
    .option('--to <host>', 'the host that it goes to');
  addMoves(command).action(async (name: string, given: MovesFlags & { to?: string }) => {
    const options = { ...placementOf(given), ...defined({ to: given.to }) };
    await planOrDo(given, {
      plan: ({ fleet }) => fleet.planMove(name, options),
      order: ({ fleet }) => fleet.move(name, { ...options, ...limitsOf(given) }),
    });
  });
}

const drainExamples = `
  $ node-criu fleet drain host-a --plan
  $ node-criu fleet drain host-a
  4 of 4 moved
  $ node-criu fleet undrain host-a`;

/** Adds the verb `fleet drain`. */
export function addDrain(fleet: Command): void {
  const command = addHelp(fleet.command('drain'), drainExamples)
    .summary('move all workloads away from a host')
    .description(
      'Move all workloads away from a host, which takes no new ones from now on. Those that no host fits stay, and the exit ' +
        'code is then 1. node-criu fleet undrain ends a drain, also one that is under way.',
    )
    .argument('<host>', 'the host');
  addMoves(command).action(async (host: string, given: MovesFlags) => {
    const options = placementOf(given);
    await planOrDo(given, {
      plan: ({ fleet }) => fleet.planDrain(host, options),
      order: ({ fleet }) => fleet.drain(host, { ...options, ...limitsOf(given) }),
    });
  });
}

const rebalanceExamples = `
  $ node-criu fleet rebalance --plan
  $ node-criu fleet rebalance --threshold 20% --max-moves 10`;

interface RebalanceFlags extends MovesFlags {
  readonly threshold?: number;
  readonly hysteresis?: number;
  readonly maxMoves?: number;
}

/** Adds the verb `fleet rebalance`. */
export function addRebalance(fleet: Command): void {
  const command = addHelp(fleet.command('rebalance'), rebalanceExamples)
    .summary('move workloads from hosts with little free memory to others')
    .description(
      'Move workloads from hosts whose memory is fuller than the mean of all hosts to emptier ones.',
    )
    .option(
      '--threshold <part>',
      'how much fuller than the mean a host may be (default: 10%)',
      part,
    )
    .option('--hysteresis <part>', 'what each move must at least gain (default: 2%)', part)
    .option('--max-moves <number>', 'no more moves than this', positive);
  addMoves(command).action(async (given: RebalanceFlags) => {
    const { threshold, hysteresis, maxMoves } = given;
    const options = { ...placementOf(given), ...defined({ threshold, hysteresis, maxMoves }) };
    await planOrDo(given, {
      plan: ({ fleet }) => fleet.planRebalance(options),
      order: ({ fleet }) => fleet.rebalance({ ...options, ...limitsOf(given) }),
    });
  });
}

function addMoves(command: Command): Command {
  return addPlanned(command)
    .addOption(
      new Option(`--per-gib ${DURATION}`, 'how long a move may take for each GiB (default: 5m)')
        .argParser(milliseconds)
        .helpGroup(RARE),
    )
    .addOption(
      new Option(`--stalled ${DURATION}`, 'how long a move may send nothing (default: 1m)')
        .argParser(milliseconds)
        .helpGroup(RARE),
    );
}

/** Adds the flags of {@link PlannedFlags}. */
export function addPlanned(command: Command): Command {
  command
    .option('--plan', 'print what would be done, and why not otherwise, and do nothing')
    .option('--detach', 'print the id of the operation, and do not wait for its end')
    .addOption(strategyFlag())
    .addOption(
      new Option('--headroom <part>', 'memory of each host that is not filled (default: 5%)')
        .argParser(part)
        .helpGroup(RARE),
    )
    .addOption(
      new Option('--exclude <host>', 'use this host for none (may be repeated)')
        .argParser(eachText)
        .helpGroup(RARE),
    );
  return addOperator(addQuiet(command));
}

/** The flag that says how workloads are distributed. */
export function strategyFlag(): Option {
  return new Option('--strategy <name>', 'spread over the hosts (default), or pack few of them')
    .choices(['spread', 'pack'])
    .helpGroup(RARE);
}

/** Where workloads may go, as the flags say. */
export function placementOf({ strategy, headroom, exclude }: PlannedFlags) {
  return defined({ strategy, headroom, exclude });
}

function limitsOf({ perGib, stalled }: MovesFlags): { readonly limits?: MoveLimits } {
  if ((perGib ?? stalled) === undefined) return {};
  return { limits: defined({ perGiBMs: perGib, progressMs: stalled }) };
}

interface Moves {
  plan(context: FleetContext): Promise<FleetPlan>;
  order(context: FleetContext): Promise<FleetOperation>;
}

/** Prints a plan, for which no key is needed, or has it done. */
async function planOrDo(given: MovesFlags, { plan, order }: Moves): Promise<void> {
  if (!given.plan) {
    await withOperator(given, async (context) => {
      await follow(context, await order(context), given.detach);
    });
    return;
  }
  await withFleet(given, async (context) => {
    const [planned, { formatPlan }] = await Promise.all([plan(context), loadFleet()]);
    if (planned.unplaced.length > 0) process.exitCode = exitCodes.refused;
    context.output.result({ plan: planned }, formatPlan(planned).trimEnd());
  });
}
