import type { Command } from 'commander';
import { addJson, defined } from './flags.ts';
import { addHelp } from './help.ts';
import { formatBytes } from './quantities.ts';
import { counted } from './text-layout.ts';
import { withOutput } from './verb.ts';

interface MergeFlags {
  readonly output: string;
  readonly overwrite?: true;
  readonly json?: boolean;
}

const description = [
  'Merge the images of a dump and of the rounds before it into a new directory, which needs no others.',
  'The directory appears when it is complete and on the disk. The images that are merged stay as they are. Compressed ' +
    'pages are decompressed.',
].join('\n\n');

const examples = `
  $ node-criu merge images/2 -o merged
  $ node-criu merge images/2 -o /var/lib/app/latest --overwrite && rm -r images`;

/** Adds the verb `merge`. */
export function addMerge(program: Command): void {
  const command = addHelp(program.command('merge'), examples)
    .summary('make one full set of images from a chain of rounds')
    .description(description)
    .argument('<directory>', 'the images directory for a restore')
    .requiredOption('-o, --output <dir>', 'the directory to make')
    .option('--overwrite', 'replace a checkpoint in that directory');
  addJson(command).action(async (directory: string, { output: target, ...flags }: MergeFlags) => {
    await withOutput(flags, async (output, signal) => {
      const { mergeImages } = await import('../images.ts');
      const options = defined({ overwrite: flags.overwrite, signal });
      const merged = await mergeImages(directory, target, options);
      const { bytesOfMemory, rounds } = merged;
      const text = `wrote ${target}: ${formatBytes(bytesOfMemory)} of memory from ${counted(rounds, 'round')}`;
      output.result({ directory: target, ...merged }, text);
    });
  });
}
