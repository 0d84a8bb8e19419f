import type { Command } from 'commander';
import type { RestoreOptions } from '../index.ts';
import { addCommon, addFlags, type Common } from './flags.ts';
import { tellingSteps } from './steps.ts';
import { withMeans } from './verb.ts';

const description = [
  'Bring a dumped process tree back, with its pids, and print the pid of its root. It runs on in the ' +
    'background when the command has ended.',
  'What the dump was told has to be told again: --tcp-established, --shell-job, --file-locks and so ' +
    'on. If the restore fails or is cancelled, nothing of it is left, and the images stay.',
].join('\n\n');

const examples = `
Examples:
  $ node-criu restore -D /var/lib/app/images
  4711

  $ node-criu restore -D images --tcp-established --file-locks
  $ node-criu restore -D images --inherit-fd 'pipe:[12345]=3' 3>out.log

A flag that is on by CRIU's configuration is turned off by --no- before its name.`;

/** Adds the verb `restore`. */
export function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .summary('bring a dumped process tree back, and print its pid')
    .description(description)
    .showHelpAfterError('Try: node-criu restore --help')
    .addHelpText('after', examples);
  addCommon(addFlags(command, ['restore'], { required: ['imagesDirectory'] })).action(restore);
}

async function restore(given: RestoreOptions & Common): Promise<void> {
  await withMeans(given, async ({ criu, output, own, limits }) => {
    const hooks = tellingSteps(output);
    const { pid, stats, log, durationMs } = await criu.restore({ ...own, ...limits, hooks });
    output.result({ pid, stats, log, durationMs }, String(pid));
  });
}
