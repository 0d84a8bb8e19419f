import type { Command } from 'commander';
import type { CheckpointOptions } from '../index.ts';
import { addCommon, addFlags, type Common } from './flags.ts';
import { pid, shownBytes, shownTime } from './quantities.ts';
import { tellingSteps } from './steps.ts';
import { withMeans } from './verb.ts';
import { tellingWritten } from './written-memory.ts';

const description = [
  'Freeze a process and all below it, and write them to a directory. They end then, or run on with ' +
    '--leave-running. If the dump fails or is cancelled, they run on.',
  'The directory is made with mode 0700: the images in it have the memory of the processes. Ask ' +
    'node-criu preflight PID first what would be in the way.',
].join('\n\n');

const examples = `
Examples:
  $ node-criu dump 4711 -D /var/lib/app/images
  $ node-criu dump 4711 -D images --tcp-established --file-locks --leave-running
  $ node-criu dump 4711 -D images --deadline 10s --json

A flag that is on by CRIU's configuration is turned off by --no- before its name.`;

/** Adds the verb `dump`. */
export function addDump(program: Command): void {
  const command = program
    .command('dump')
    .summary('freeze a process tree and write it to a directory')
    .description(description)
    .argument('<pid>', 'the root of the tree', pid)
    .showHelpAfterError('Try: node-criu dump --help')
    .addHelpText('after', examples);
  addCommon(addFlags(command, ['dump', 'preDump'], { required: ['imagesDirectory'] }))
    .option('--pre-dump', 'copy only the memory, of processes that run on: a round before a dump')
    .option('--insecure', 'with --lazy-pages: serve memory to other hosts without TLS')
    .action(dump);
}

async function dump(root: number, given: CheckpointOptions & Common): Promise<void> {
  await withMeans(given, async ({ criu, output, own, limits }) => {
    const hooks = tellingSteps(output);
    const options = { ...own, ...limits, hooks } as CheckpointOptions;
    const result = await tellingWritten(output, root, own, () => criu.checkpoint(root, options));
    const { stats, imagesDirectory } = result;
    const size = shownBytes(stats.bytesWritten);
    const frozen = shownTime(stats.frozenTimeMs);
    output.result(result, `${imagesDirectory}: process ${root}, ${size}, frozen for ${frozen}`);
  });
}
