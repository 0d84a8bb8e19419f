import type { Command } from 'commander';
import type { RestoreOptions } from '../index.ts';
import { addCommon, addFlags, addQuiet, type Common, NEGATION_HELP } from './flags.ts';
import { addHelp } from './help.ts';
import { stepHooks } from './steps.ts';
import { withCriu } from './verb.ts';

const description = [
  'Restore a dumped process tree with its original pids, and print the pid of its root. The ' +
    'processes continue in the background after the command ends.',
  'Repeat the options of the dump: --tcp-established, --shell-job, --file-locks and so on. If the ' +
    'restore fails or is cancelled, no process of it remains, and the images stay intact.',
  NEGATION_HELP,
].join('\n\n');

const examples = `
  $ node-criu restore -D /var/lib/app/images
  4711

  $ node-criu restore -D images --tcp-established --file-locks
  $ node-criu restore -D images --inherit-fd 'pipe:[12345]=3' 3>out.log`;

/** Adds the verb `restore`. */
export function addRestore(program: Command): void {
  const command = addHelp(program.command('restore'), examples)
    .summary('restore a dumped process tree, and print its pid')
    .description(description);
  addQuiet(addCommon(addFlags(command, ['restore'], { required: ['imagesDirectory'] }))).action(
    restore,
  );
}

async function restore(given: RestoreOptions & Common): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const hooks = stepHooks(output);
    const { pid, stats, log, durationMs } = await criu.restore({ ...options, ...limits, hooks });
    output.result({ pid, stats, log, durationMs }, String(pid));
  });
}
