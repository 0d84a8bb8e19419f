import type { Command } from 'commander';
import type {
  Criu,
  PreflightFinding,
  PreflightOptions,
  PreflightRestoreOptions,
} from '../index.ts';
import { exitCodes } from './exit-code.ts';
import { formatFindings, printedFindings } from './failure.ts';
import { addCommon, addFlags, type Common } from './flags.ts';
import { addHelp } from './help.ts';
import type { Output } from './output.ts';
import { pid } from './quantities.ts';
import { withCriu } from './verb.ts';

const description = [
  'Report what would make a dump of a process tree or its restore fail, and the remedies. This only ' +
    'reads: the processes keep running. Without a pid, report what would make a restore of the images ' +
    'in -D fail on this host.',
  'Give the options that you will give to the dump and the restore. An error makes them fail; a ' +
    'warning says what will be different after the restore.',
].join('\n\n');

const examples = `
  $ node-criu preflight 4711
  $ node-criu preflight 4711 -D /var/lib/app/images --tcp-established
  $ node-criu preflight 4711 && node-criu dump 4711 -D images
  $ node-criu preflight -D images && node-criu restore -D images`;

const CACHE_HINT =
  'each dump and restore takes 30 to 40 ms longer here, because CRIU keeps no kernel cache: ' +
  'node-criu check --fix keeps one';

/** Adds the verb `preflight`. */
export function addPreflight(program: Command): void {
  const command = addHelp(program.command('preflight'), examples)
    .summary('report what would make a dump or a restore fail')
    .description(description)
    .argument('[pid]', 'the root of the process tree', pid);
  addCommon(addFlags(command, ['dump', 'preDump', 'restore']))
    .option('--pre-dump', 'check for a pre-dump instead of a dump')
    .action((root: number | undefined, given: PreflightOptions & Common) => {
      if (root === undefined && given.imagesDirectory === undefined) {
        command.error('error: give a pid, or the images of a restore with -D');
      }
      return root === undefined ? preflightRestore(given) : preflight(root, given);
    });
}

async function preflight(root: number, given: PreflightOptions & Common): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const findings = await criu.preflight(root, { ...options, ...limits });
    await report(criu, output, findings, `process ${root}`);
  });
}

async function preflightRestore(given: PreflightRestoreOptions & Common): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const findings = await criu.preflightRestore({ ...options, ...limits });
    await report(criu, output, findings, `a restore of ${options.imagesDirectory}`);
  });
}

async function report(
  criu: Criu,
  output: Output,
  findings: readonly PreflightFinding[],
  subject: string,
): Promise<void> {
  output.findings(findings, printedFindings(formatFindings(findings)));
  const kernelCache = await criu.kernelCache();
  const count = (of: PreflightFinding['severity']) =>
    findings.filter(({ severity }) => severity === of).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const clear = errors + warnings === 0 ? `no problem found for ${subject}` : '';
  output.result({ errors, warnings, kernelCache }, clear);
  if (kernelCache === 'missing') output.hint(CACHE_HINT);
  if (errors > 0) process.exitCode = exitCodes.refused;
}
