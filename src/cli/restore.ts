import type { Command } from 'commander';
import type { RestoreOptions } from '../index.ts';
import { addCommon, addFlags, type Common } from './flags.ts';
import { stepHooks } from './steps.ts';
import { withCriu } from './verb.ts';

const description = [
  'Restore a dumped process tree with its original pids, and print the pid of its root. The ' +
    'processes continue in the background after the command ends.',
  'Repeat the options of the dump: --tcp-established, --shell-job, --file-locks and so on. If the ' +
    'restore fails or is cancelled, no process of it remains, and the images stay intact.',
].join('\n\n');

const examples = `
Examples:
  $ node-criu restore -D /var/lib/app/images
  4711

  $ node-criu restore -D images --tcp-established --file-locks
  $ node-criu restore -D images --inherit-fd 'pipe:[12345]=3' 3>out.log

To turn off a flag that CRIU's configuration file turns on, put --no- before its name.`;

/** Adds the verb `restore`. */
export function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .summary('restore a dumped process tree, and print its pid')
    .description(description)
    .showHelpAfterError('Try: node-criu restore --help')
    .addHelpText('after', examples);
  addCommon(addFlags(command, ['restore'], { required: ['imagesDirectory'] })).action(restore);
}

async function restore(given: RestoreOptions & Common): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const hooks = stepHooks(output);
    const { pid, stats, log, durationMs } = await criu.restore({ ...options, ...limits, hooks });
    output.result({ pid, stats, log, durationMs }, String(pid));
  });
}
