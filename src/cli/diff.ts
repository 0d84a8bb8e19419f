import type { Command } from 'commander';
import type { DifferenceSections } from './difference-text.ts';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

interface DiffFlags extends DifferenceSections {
  readonly json?: boolean;
  readonly secrets?: boolean;
}

const description = [
  'Show what differs between two checkpoints: processes, files, sockets, mappings, and the pages of each mapping. ' +
    'Lines begin with - for what only the first has, + for what only the second has, and ~ for what differs.',
  'It reads the memory of both, with that of earlier rounds, unless flags select other parts. Both may be pre-dumps, of ' +
    'which it compares the memory.',
].join('\n\n');

const examples = `
  $ node-criu diff images/1 images/2
  $ node-criu diff images/1 images/2 --files --sockets
  $ node-criu diff images/1 images/2 --json | jq .memory.pagesChanged`;

/** Adds the verb `diff`. */
export function addDiff(program: Command): void {
  const command = addHelp(program.command('diff'), examples)
    .summary('show what differs between two checkpoints')
    .description(description)
    .argument('<before>', 'the images directory of the earlier checkpoint')
    .argument('<after>', 'the images directory of the later checkpoint')
    .option('--ps-tree', 'processes')
    .option('--files', 'open files')
    .option('--sockets', 'sockets')
    .option('--mappings', 'mappings, without their content')
    .option('--pages', 'pages of each mapping')
    .option('--secrets', 'do not redact passwords, tokens and keys');
  addJson(command).action(diff);
}

async function diff(
  before: string,
  after: string,
  { json = false, secrets = false, ...sections }: DiffFlags,
): Promise<void> {
  await withOutput({ json }, async (output, signal) => {
    const { diffCheckpoints } = await import('../images.ts');
    const { differenceText } = await import('./difference-text.ts');
    const memory = sections.pages === true || !Object.values(sections).some(Boolean);
    const difference = await diffCheckpoints(before, after, { secrets, memory, signal });
    const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
    output.result(difference, json ? '' : differenceText(difference, sections, columns));
  });
}
