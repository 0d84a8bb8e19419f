import type { Command } from 'commander';
import { verifyImages } from '../index.ts';
import { exitCodes } from './exit-code.ts';
import { formatFinding } from './failure.ts';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

const description =
  'Check that the images of a dump and of all rounds before it are complete and consistent. This ' +
  'reads the descriptions of memory, not the memory itself.';

const examples = `
  $ node-criu verify /var/lib/app/images
  $ node-criu verify images && node-criu restore -D images`;

/** Adds the verb `verify`. */
export function addVerify(program: Command): void {
  const command = addHelp(program.command('verify'), examples)
    .summary('check that the images of a dump are complete')
    .description(description)
    .argument('<directory>', 'the images directory for a restore');
  addJson(command).action(verify);
}

async function verify(directory: string, { json = false }: { json?: boolean }): Promise<void> {
  await withOutput({ json }, async (output) => {
    const findings = await verifyImages(directory);
    output.findings(
      findings,
      findings.map((finding) => formatFinding(finding)),
    );
    const complete = findings.length === 0 ? `the images in ${directory} are complete` : '';
    output.result({ findings: findings.length }, complete);
    if (findings.length > 0) process.exitCode = exitCodes.refused;
  });
}
