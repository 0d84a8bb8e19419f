import type { Command } from 'commander';
import { resolveMigration, unresolvedMigrations } from '../index.ts';
import { exitCodes } from './exit-code.ts';
import { addJson, defined } from './flags.ts';
import { addTrust, type TrustFlags, trustOf } from './migration.ts';
import { DURATION, milliseconds } from './quantities.ts';
import { withOutput } from './verb.ts';

const description = [
  'Find out what became of a migration whose outcome is not known, say which host has the processes, ' +
    'and finish the job: the original runs on, or ends.',
  'If the destination does not answer, the owner is undecided, the original stays stopped, and the ' +
    'exit code is 4: nothing is lost, and it can be tried again at any time. So it is while a copy ' +
    'still gets its memory.',
  'Without an id it prints those of the migrations from here that are to be finished.',
].join('\n\n');

const examples = `
Examples:
  $ node-criu resolve
  4f1d9c2e-6a2f-4c1e-9d53-0f8c0c2b7a11

  $ node-criu resolve 4f1d9c2e-6a2f-4c1e-9d53-0f8c0c2b7a11 \\
      --ca ca.pem --cert source.pem --key source.key`;

interface Given extends TrustFlags {
  readonly directory?: string;
  readonly destinationIsDead?: true;
  readonly deadline?: number;
  readonly json?: boolean;
}

/** Adds the verb `resolve`. */
export function addResolve(program: Command): void {
  const command = program
    .command('resolve')
    .summary('finish a migration whose outcome is not known')
    .description(description)
    .argument('[id]', 'that of the migration, as its error told it')
    .option('-D, --directory <directory>', 'where its journal is (default: /var/lib/node-criu)')
    .option(
      '--destination-is-dead',
      'let the original run on without asking: only if the other host is off for good',
    )
    .option(`--deadline ${DURATION}`, 'how long to ask the other host (default: 10s)', milliseconds)
    .showHelpAfterError('Try: node-criu resolve --help')
    .addHelpText('after', examples);
  addTrust(addJson(command)).action((id: string | undefined, given: Given) =>
    id === undefined ? list(given) : resolve(id, given),
  );
}

async function list({ directory, json = false }: Given): Promise<void> {
  await withOutput(json, async (output) => {
    const unresolved = await unresolvedMigrations(defined({ directory }));
    output.result({ unresolved }, unresolved.join('\n'));
  });
}

async function resolve(id: string, given: Given): Promise<void> {
  const { directory, destinationIsDead, deadline, json = false } = given;
  // Of a destination that is dead nothing is asked.
  const trust = destinationIsDead ? {} : trustOf(given);
  await withOutput(json, async (output) => {
    const found = await resolveMigration(id, {
      ...trust,
      ...defined({ directory, destinationIsDead, deadlineMs: deadline }),
    });
    const { leftovers, ...facts } = found;
    const lines = Object.entries(facts).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}: ${String(value)}`,
    );
    const left = leftovers.map((one) => `left behind: ${one}`);
    output.result({ ...found }, [...lines, ...left].join('\n'));
    // Undecided, or the copy runs and has yet to get its memory.
    if (found.source === 'handed-over') process.exitCode = exitCodes.unresolved;
  });
}
