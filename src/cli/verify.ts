import type { Command } from 'commander';
import { verifyImages } from '../index.ts';
import { exitCodes } from './exit-code.ts';
import { formatFinding, printedFindings } from './failure.ts';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

const description =
  'Check that the images of a dump and of all rounds before it are complete and consistent. Without --deep ' +
  'this reads the descriptions of memory, not the memory itself.';

const examples = `
  $ node-criu verify /var/lib/app/images
  $ node-criu verify --deep /var/lib/app/images
  $ node-criu verify images && node-criu restore -D images`;

/** Adds the verb `verify`. */
export function addVerify(program: Command): void {
  const command = addHelp(program.command('verify'), examples)
    .summary('check that the images of a dump are complete')
    .description(description)
    .argument('<directory>', 'the images directory for a restore');
  addJson(command)
    .option('--deep', 'compare the contents of all files with the checksums in node-criu.json')
    .action(verify);
}

interface VerifyFlags {
  readonly json?: boolean;
  readonly deep?: boolean;
}

async function verify(
  directory: string,
  { json = false, deep = false }: VerifyFlags,
): Promise<void> {
  await withOutput({ json }, async (output) => {
    const findings = await verifyImages(directory, { deep });
    output.findings(findings, printedFindings(findings.map((finding) => formatFinding(finding))));
    const state = deep ? 'complete and unchanged' : 'complete';
    const complete = findings.length === 0 ? `the images in ${directory} are ${state}` : '';
    output.result({ findings: findings.length }, complete);
    if (findings.length > 0) process.exitCode = exitCodes.refused;
  });
}
