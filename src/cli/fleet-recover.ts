import type { Command } from 'commander';
import { exitCodes } from './exit-code.ts';
import { loadFleet, withFleet, withOperator, wrong } from './fleet-connection.ts';
import { follow } from './fleet-follow.ts';
import { addPlanned, type PlannedFlags, placementOf } from './fleet-moves.ts';
import { addHelp } from './help.ts';
import { runShellCommand } from './shell-command.ts';

const description = [
  'Restart the workloads of a host that is lost from their last checkpoints, on hosts that hold these. What they did since is ' +
    'lost, and their connections are closed. Those without a checkpoint are not restarted, and the exit code is then 1.',
  'A host that does not answer may still run its workloads. Make sure that it does not, with --fence, or vouch for it with ' +
    '--fenced. If it comes back, it ends what ran there, and takes nothing until node-criu fleet uncordon.',
].join('\n\n');

const examples = `
  $ node-criu fleet recover host-a --plan
  $ node-criu fleet recover host-a --fence 'power-switch off "$NODE_CRIU_HOST"'
  web runs on host-b
  $ node-criu fleet recover host-a --fenced`;

interface RecoverFlags extends PlannedFlags {
  readonly fenced?: true;
  readonly fence?: string;
}

/** Adds the verb `fleet recover`. */
export function addRecover(fleet: Command): void {
  const command = addHelp(fleet.command('recover'), examples)
    .summary('restart the workloads of a lost host from their checkpoints')
    .description(description)
    .argument('<host>', 'the host that is lost')
    .option('--fenced', 'nothing runs on the host any more, and nothing will: you vouch for it')
    .option(
      '--fence <command>',
      'command that makes sure of that, such as one that turns its power off; NODE_CRIU_HOST has its name',
    );
  addPlanned(command).action(async (host: string, given: RecoverFlags) => {
    if (given.plan) await plan(host, given);
    else await recover(host, given);
  });
}

async function plan(host: string, given: RecoverFlags): Promise<void> {
  await withFleet(given, async ({ fleet, output }) => {
    const [planned, { formatRestartPlan }] = await Promise.all([
      fleet.planRecover(host, placementOf(given)),
      loadFleet(),
    ]);
    if (planned.unplaced.length > 0) process.exitCode = exitCodes.refused;
    output.result({ plan: planned }, formatRestartPlan(planned).trimEnd());
  });
}

async function recover(host: string, given: RecoverFlags): Promise<void> {
  const { fenced, fence: line, detach } = given;
  if (fenced === undefined && line === undefined) {
    throw wrong(
      `give --fence with a command that turns ${host} off, or --fenced once nothing runs there any more: a host that does not answer may still run its workloads`,
    );
  }
  await withOperator(given, async (context) => {
    const { fleet, output, signal } = context;
    const fence =
      line === undefined
        ? undefined
        : (name: string) =>
            runShellCommand({
              ...{ flag: '--fence', line, environment: { NODE_CRIU_HOST: name }, signal },
              onLine: (text) => output.log(text),
            });
    const operation = await fleet.recover(host, {
      ...placementOf(given),
      ...(fenced && { fenced }),
      ...(fence && { fence }),
    });
    await follow(context, operation, detach);
  });
}
