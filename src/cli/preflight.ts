import type { Command } from 'commander';
import type { PreflightOptions } from '../index.ts';
import { exitCodes } from './exit-code.ts';
import { toldOfFinding } from './failure.ts';
import { addCommon, addFlags, type Common } from './flags.ts';
import { pid } from './quantities.ts';
import { withMeans } from './verb.ts';

const description = [
  'Say what would make a dump of a process tree fail, or the restore after it, and what helps. It ' +
    'only looks: the processes are not stopped.',
  'Give it the options that the dump and the restore are to have. An error is in the way as things ' +
    'stand; a warning says what will be different afterwards.',
].join('\n\n');

const examples = `
Examples:
  $ node-criu preflight 4711
  $ node-criu preflight 4711 -D /var/lib/app/images --tcp-established
  $ node-criu preflight 4711 && node-criu dump 4711 -D images`;

/** Adds the verb `preflight`. */
export function addPreflight(program: Command): void {
  const command = program
    .command('preflight')
    .summary('say what would make a dump fail, without touching anything')
    .description(description)
    .argument('<pid>', 'the root of the tree', pid)
    .showHelpAfterError('Try: node-criu preflight --help')
    .addHelpText('after', examples);
  addCommon(addFlags(command, ['dump', 'preDump', 'restore']))
    .option('--pre-dump', 'it is to be a pre-dump')
    .action(preflight);
}

async function preflight(root: number, given: PreflightOptions & Common): Promise<void> {
  await withMeans(given, async ({ criu, output, own, limits }) => {
    const findings = await criu.preflight(root, { ...own, ...limits });
    for (const finding of findings) output.finding(finding, toldOfFinding(finding));
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const warnings = findings.length - errors;
    const nothing = findings.length === 0 ? `nothing is in the way of process ${root}` : '';
    output.result({ errors, warnings }, nothing);
    if (errors > 0) process.exitCode = exitCodes.refused;
  });
}
