import type { Command } from 'commander';
import { resolveMigration, unresolvedMigrations } from '../index.ts';
import { exitCodes } from './exit-code.ts';
import { addJson, defined } from './flags.ts';
import { addHelp } from './help.ts';
import { DURATION, milliseconds } from './quantities.ts';
import { runShellCommand } from './shell-command.ts';
import { addTrustFlags, type TrustFlags, trustFrom } from './trust.ts';
import { withOutput } from './verb.ts';
import { withFlags } from './wording.ts';

const description = [
  'Determine the outcome of an interrupted migration, print which host owns the processes, and finish ' +
    'the migration: the original continues or ends.',
  'If the destination does not answer, or while the copy still receives memory, the owner is ' +
    'undecided, the original stays stopped, and the exit code is 4. Nothing is lost: run the command ' +
    'again later.',
  'Without an id, print the ids of the unfinished migrations from this host.',
].join('\n\n');

const examples = `
  $ node-criu resolve
  4f1d9c2e-6a2f-4c1e-9d53-0f8c0c2b7a11

  $ node-criu resolve 4f1d9c2e-6a2f-4c1e-9d53-0f8c0c2b7a11 \\
      --ca ca.pem --cert source.pem --key source.key`;

interface ResolveFlags extends TrustFlags {
  readonly directory?: string;
  readonly destinationIsDead?: true;
  readonly copyHasFinished?: true;
  readonly switchBack?: string;
  readonly deadline?: number;
  readonly json?: boolean;
}

/** Adds the verb `resolve`. */
export function addResolve(program: Command): void {
  const command = addHelp(program.command('resolve'), examples)
    .summary('finish an interrupted migration')
    .description(description)
    .argument('[id]', 'id of the migration, from its error message')
    .option('-D, --directory <dir>', 'directory of the journal (default: /var/lib/node-criu)')
    .option(
      '--destination-is-dead',
      'continue the original without asking the other host: only if that host is down for good',
    )
    .option(
      '--copy-has-finished',
      'end the original without asking the other host: only if the copy has done its work, or runs',
    )
    .option(
      '--switch-back <command>',
      'command that moves the addresses back, if --switch-over was run and the original continues',
    )
    .option(
      `--deadline ${DURATION}`,
      'time for the other host to answer (default: 10s)',
      milliseconds,
    );
  addTrustFlags(addJson(command)).action((id: string | undefined, given: ResolveFlags) =>
    id === undefined ? list(given) : resolve(id, given),
  );
}

async function list({ directory, json = false }: ResolveFlags): Promise<void> {
  await withOutput({ json }, async (output) => {
    const unresolved = await unresolvedMigrations(defined({ directory }));
    output.result({ unresolved }, unresolved.join('\n'));
  });
}

async function resolve(id: string, given: ResolveFlags): Promise<void> {
  const {
    directory,
    destinationIsDead,
    copyHasFinished,
    switchBack,
    deadline,
    json = false,
  } = given;
  // The destination is not contacted if the operator has decided.
  const trust = destinationIsDead || copyHasFinished ? {} : trustFrom(given);
  await withOutput({ json }, async (output) => {
    const found = await resolveMigration(id, {
      ...trust,
      ...defined({ directory, destinationIsDead, copyHasFinished, deadlineMs: deadline }),
      ...(switchBack !== undefined && {
        switchBack: () =>
          runShellCommand({
            ...{ flag: '--switch-back', line: switchBack, environment: { NODE_CRIU_ID: id } },
            onLine: (text) => output.log(text),
          }),
      }),
    });
    const { leftovers, remaining, remedy, ...facts } = found;
    const lines = Object.entries(facts).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}: ${String(value)}`,
    );
    const left = leftovers.map((one) => `left behind: ${one}`);
    const todo = [...remaining, ...(remedy === undefined ? [] : [remedy])].map(
      (task) => `to do: ${withFlags(task)}`,
    );
    output.result({ ...found }, [...lines, ...left, ...todo].join('\n'));
    // The owner is undecided, the copy still lacks memory, or clients do not reach the service.
    if (found.source === 'handed-over' || found.reachable === false)
      process.exitCode = exitCodes.unresolved;
  });
}
