import type { Command } from 'commander';
import type { CheckpointDescription } from '../images.ts';
import { CriuError } from '../index.ts';
import type { CheckpointSections } from './checkpoint-text.ts';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { pid } from './quantities.ts';
import { withOutput } from './verb.ts';

interface ShowFlags extends CheckpointSections {
  readonly json?: boolean;
  readonly pid?: number;
  readonly secrets?: boolean;
}

const description = [
  'Show what a checkpoint has: its processes with their command lines, sockets, files, pipes and memory, and what a ' +
    'restore needs. Flags select parts, in the words of checkpointctl. Of a pre-dump it shows the memory.',
  'Passwords, tokens and keys in command lines and environments are redacted where their names or forms show what ' +
    'they are. The images have all of them.',
].join('\n\n');

const examples = `
  $ node-criu show images
  $ node-criu show images --ps-tree-env --pid 4711
  $ node-criu show images --mappings
  $ node-criu show images --json | jq '.processes[].args'`;

/** Adds the verb `show`. */
export function addShow(program: Command): void {
  const command = addHelp(program.command('show'), examples)
    .summary('show what a checkpoint has: processes, files, sockets, memory')
    .description(description)
    .argument('<directory>', 'the images directory')
    .option('--ps-tree', 'the processes')
    .option('--ps-tree-cmd', 'the processes, with command lines')
    .option('--ps-tree-env', 'the processes, with environments')
    .option('--files', 'open files and pipes')
    .option('--sockets', 'sockets, with addresses, states and queues')
    .option('--mappings', 'each mapping, and how much of it the images have')
    .option('--mounts', 'mounts of mount namespaces of their own')
    .option('--metadata', 'directory, time, sizes, and rounds before')
    .option('--stats', 'times of the dump, and its pages')
    .option('--all', 'all of these, and all that is known of each process')
    .option('-p, --pid <pid>', 'only this process and its descendants', pid)
    .option('--secrets', 'do not redact passwords, tokens and keys');
  addJson(command).action(show);
}

async function show(
  directory: string,
  { json = false, pid: only, secrets = false, ...sections }: ShowFlags,
): Promise<void> {
  await withOutput({ json }, async (output) => {
    const { describeCheckpoint } = await import('../images.ts');
    const { checkpointText } = await import('./checkpoint-text.ts');
    const whole = await describeCheckpoint(directory, { secrets });
    const checkpoint = only === undefined ? whole : await restricted(whole, only);
    const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
    output.result(checkpoint, json ? '' : checkpointText(checkpoint, sections, columns));
  });
}

/** The same with one process and those below it. */
async function restricted(
  whole: CheckpointDescription,
  only: number,
): Promise<CheckpointDescription> {
  const { subtreeOf } = await import('./process-tree-text.ts');
  const processes = subtreeOf(whole.processes, only);
  if (processes.length > 0) return { ...whole, processes };
  const message = `show: --pid: there is no process ${only} in ${whole.directory}`;
  const details = { operation: 'show', option: 'pid' };
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, details);
}
