import type { Command } from 'commander';
import type { EditCheckpointOptions, EditedCheckpoint } from '../images.ts';
import { addJson, defined } from './flags.ts';
import { addHelp } from './help.ts';
import { listenPair, pathPair, variable } from './pairs.ts';
import { printable } from './text-layout.ts';
import { withOutput } from './verb.ts';

interface EditFlags {
  readonly output: string;
  readonly listen?: EditCheckpointOptions['listen'];
  readonly path?: EditCheckpointOptions['paths'];
  readonly env?: EditCheckpointOptions['environment'];
  readonly overwrite?: true;
  readonly json?: boolean;
}

const description = [
  'Write the images of a dump with changes into a new directory: where sockets listen, the paths of files, and variables ' +
    'of the environment.',
  'A change that matches nothing is refused, and nothing is written. The rounds before the dump are merged, as ' +
    'node-criu merge does it; the images that are edited stay as they are.',
  'A path stands for those below it, too: of open and mapped files, working directories and UNIX sockets. The ' +
    'files must be there at the restore, as they were. A variable cannot get a value longer than the one that it has.',
  'What the program has in its own memory stays as it is, such as a port or a path that it remembers.',
].join('\n\n');

const examples = `
  $ node-criu edit images -o edited --listen 8080=9090
  $ node-criu edit images -o edited --listen 0.0.0.0:8080=127.0.0.1:8080
  $ node-criu edit images -o edited --path /srv/old=/srv/new --env MODE=test`;

/** Adds the verb `edit`. */
export function addEdit(program: Command): void {
  const command = addHelp(program.command('edit'), examples)
    .summary('change ports, paths and variables in a copy of images')
    .description(description)
    .argument('<directory>', 'the images directory for a restore')
    .requiredOption('-o, --output <dir>', 'the directory to make')
    .option('--listen <from=to>', 'ports or ADDRESS:PORT (may be repeated)', listenPair)
    .option('--path <from=to>', 'absolute paths (may be repeated)', pathPair)
    .option('--env <name=value>', 'a variable and its new value (may be repeated)', variable)
    .option('--overwrite', 'replace a checkpoint in the new directory');
  addJson(command).action(async (directory: string, flags: EditFlags) => {
    if (!flags.listen && !flags.path && !flags.env) {
      command.error('error: give a change with --listen, --path or --env');
    }
    await withOutput(flags, async (output, signal) => {
      const { editCheckpoint } = await import('../images.ts');
      const { output: target, listen, path: paths, env: environment, overwrite } = flags;
      const options = defined({ listen, paths, environment, overwrite, signal });
      const edited = await editCheckpoint(directory, target, options);
      output.result({ directory: target, ...edited }, textOf(target, edited));
    });
  });
}

function textOf(target: string, { listen, paths, environment }: EditedCheckpoint): string {
  return [
    ...[...listen, ...paths].map(({ from, to }) => `${printable(from)} -> ${printable(to)}`),
    ...environment.map(({ pid, name }) => `${name} of process ${pid}`),
    `wrote ${target}`,
  ].join('\n');
}
