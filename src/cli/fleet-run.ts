import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Labels, PlacementStrategy, WorkloadSpec } from '../fleet.ts';
import type { DumpOptions } from '../index.ts';
import { type AddressFlag, collectAddress } from './addresses.ts';
import { addFlags, addQuiet, defined } from './flags.ts';
import { addOperator, type OperatorFlags, withOperator, wrong } from './fleet-connection.ts';
import { follow } from './fleet-follow.ts';
import { strategyFlag } from './fleet-moves.ts';
import { label, numericIds, positive } from './fleet-values.ts';
import { addHelp, RARE } from './help.ts';
import { setByMigration } from './migrate.ts';
import { variable } from './pairs.ts';
import { bytes, DURATION, milliseconds, pid } from './quantities.ts';

const description = [
  'Start a program, or a copy of a template, as a workload on a host that fits, or make a process or a container that runs ' +
    'on a host a workload of the fleet.',
  'Paths are those of the host, and of each host that the workload moves to. Options of CRIU are those of its dumps.',
].join('\n\n');

const examples = `
  $ node-criu fleet run web --address 192.0.2.9/32 --label app=web \\
      --anti-affinity app=web --memory 1g --output /var/log/web.log -- node /srv/app.js
  web runs on host-b
  $ node-criu fleet run db --on host-a --pid 4711
  $ node-criu fleet run worker-1 --template /var/lib/templates/worker`;

interface RunFlags extends OperatorFlags, Partial<DumpOptions> {
  readonly on?: string;
  readonly pid?: number;
  readonly container?: string;
  readonly template?: string;
  readonly label?: Labels;
  readonly address?: readonly AddressFlag[];
  readonly hostLabel?: Labels;
  readonly affinity?: Labels;
  readonly antiAffinity?: Labels;
  readonly memory?: number;
  readonly allowPostCopy?: boolean;
  readonly checkpointEvery?: number;
  readonly keep?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: ReturnType<typeof numericIds>;
  readonly output?: string;
  readonly pidNamespace: boolean;
  readonly strategy?: PlacementStrategy;
  readonly detach?: boolean;
}

/** Adds the verb `fleet run`. */
export function addFleetRun(fleet: Command): void {
  const command = addHelp(fleet.command('run'), examples)
    .summary('start a workload, or register one that runs')
    .description(description)
    .argument('<name>', 'its name, which no other workload has')
    .argument('[command...]', 'after --: the program and its arguments')
    .option('--on <host>', 'the host (default: one that fits)')
    .option('--pid <pid>', 'the process of this host that is the workload', pid)
    .option('--container <id>', 'the container of this host that is the workload')
    .option('--template <directory>', 'the template, at each host, of which a copy is started')
    .option('--label <name=value>', 'a label of the workload (may be repeated)', label)
    .option('--address <address>', 'an address that goes with it: 192.0.2.9/32', collectAddress)
    .option('--host-label <name=value>', 'only hosts with this label', label)
    .option('--affinity <name=value>', 'only where a workload with this label runs', label)
    .option('--anti-affinity <name=value>', 'only where no other with this label runs', label)
    .option('--memory <size>', 'the memory that it will need, such as 1g', bytes)
    .option('--output <file>', 'append its output and errors to a file')
    .option('--detach', 'print the id of the operation, and do not wait')
    .addOption(rare('--allow-post-copy', 'move it by post-copy if pre-copy does not converge'))
    .addOption(
      rare(`--checkpoint-every ${DURATION}`, 'make checkpoints on schedule').argParser(
        milliseconds,
      ),
    )
    .addOption(
      rare('--keep <number>', 'how many checkpoints are kept (default: 3)').argParser(positive),
    )
    .addOption(rare('--cwd <dir>', 'its working directory (default: /)'))
    .addOption(
      rare('--env <name=value>', 'a variable of its environment (may be repeated)').argParser(
        variable,
      ),
    )
    .addOption(rare('--user <uid:gid>', 'run as this user: numbers').argParser(numericIds))
    .addOption(rare('--no-pid-namespace', 'give it no pids of its own'))
    .addOption(strategyFlag());
  addFlags(addOperator(addQuiet(command)), ['dump'], {
    except: setByMigration,
    common: [],
  }).action(run);
}

function rare(flags: string, help: string): Option {
  return new Option(flags, help).helpGroup(RARE);
}

async function run(name: string, command: readonly string[], given: RunFlags): Promise<void> {
  const spec = specOf(name, command, given);
  const { on, strategy, detach } = given;
  await withOperator(given, async (context) => {
    const operation = await context.fleet.run(spec, defined({ on, strategy }));
    await follow(context, operation, detach);
  });
}

function specOf(name: string, command: readonly string[], given: RunFlags): WorkloadSpec {
  const { redis: _, redisCa: _ca, redisPasswordFile: _file, fleet: _fleet, ...own } = given;
  const { operator: _operator, key: _key, json: _json, quiet: _quiet, ...flags } = own;
  const { on, strategy: _strategy, detach: _detach, ...about } = flags;
  const { pid, container, template, label: labels, address: addresses, ...where } = about;
  const { hostLabel: hostLabels, affinity, antiAffinity, memory: memoryBytes, ...more } = where;
  const { allowPostCopy, checkpointEvery: every, keep, cwd, env, user, ...rest } = more;
  const { output, pidNamespace, ...dump } = rest;
  if (keep !== undefined && every === undefined) throw wrong('--keep needs --checkpoint-every');
  const placement = defined({ hostLabels, affinity, antiAffinity });
  const traits = {
    ...{ name, ...defined({ labels, addresses, allowPostCopy }) },
    ...(Object.keys(placement).length > 0 && { placement }),
    ...(every !== undefined && { checkpoint: { every, ...defined({ keep }) } }),
    ...(Object.keys(dump).length > 0 && { dump }),
  };
  const isProgram = command.length > 0;
  const others = [pid, container, template].filter((one) => one !== undefined);
  if (others.length + (isProgram ? 1 : 0) !== 1) {
    throw wrong('give either a command after --, or --pid, --container or --template');
  }
  if (isProgram) {
    return {
      ...{ ...traits, command, ...user, ...defined({ cwd, env, memoryBytes }) },
      ...(output !== undefined && { output: resolve('/', output) }),
      ...(!pidNamespace && { pidNamespace }),
    };
  }
  if (template !== undefined) return { ...traits, template, ...defined({ memoryBytes }) };
  if (on === undefined) throw wrong('--pid and --container need --on: the host that has it');
  return pid === undefined ? { ...traits, container: container as string } : { ...traits, pid };
}
