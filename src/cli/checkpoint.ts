import type { Command } from 'commander';
import { CheckpointStore, type StoredDumpOptions } from '../index.ts';
import { withDumpProgress } from './dump-progress.ts';
import { addCommon, addFlags, addQuiet, type Common, NEGATION_HELP } from './flags.ts';
import { addHelp } from './help.ts';
import { summaryOf } from './list.ts';
import { reportOccupied } from './occupied-pids.ts';
import type { OptionName } from './option-names.ts';
import { formatDump, pid } from './quantities.ts';
import { stepHooks } from './steps.ts';
import { withCriu } from './verb.ts';

const description = [
  'Dump a process and its descendants into a store, a directory of checkpoints that have names, and print the path ' +
    'of the new checkpoint. The dump ends the processes unless you give --leave-running.',
  'node-criu list, prune and rm manage the store; restore, show and verify take the path of a checkpoint.',
  NEGATION_HELP,
].join('\n\n');

const examples = `
  $ node-criu checkpoint 4711 --store /var/lib/checkpoints --name web --leave-running
  /var/lib/checkpoints/web.20261129T194711417Z-c54cbf

  $ node-criu checkpoint 4711 --store checkpoints --name web --leave-running --incremental`;

/** The options of the dump that the store sets, or that need another directory. */
const setByStore: readonly OptionName[] = [
  ...(['imagesDirectory', 'parentImage', 'trackMem', 'overwrite', 'manifest'] as const),
  ...(['keepFailed', 'pageServer', 'lazyPages', 'stream', 'statusFd'] as const),
  ...(['autoDedup', 'configFile', 'tls'] as const),
];

interface CheckpointFlags extends StoredDumpOptions, Common {
  readonly store: string;
}

/** Adds the verb `checkpoint`. */
export function addCheckpoint(program: Command): void {
  const command = addHelp(program.command('checkpoint'), examples)
    .summary('dump a process tree into a store of checkpoints')
    .description(description)
    .argument('<pid>', 'the root of the process tree', pid)
    .requiredOption('--store <directory>', 'the directory of the store')
    .requiredOption('--name <name>', 'what the checkpoint is of')
    .option('--incremental', 'write only what has changed since the newest one with this name');
  addQuiet(addCommon(addFlags(command, ['dump'], { except: setByStore })))
    .option('--force', 'dump also a process tree that cannot be restored')
    .action(checkpoint);
}

async function checkpoint(root: number, given: CheckpointFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const { store: directory, ...dump } = options;
    await using store = new CheckpointStore(directory, { criu });
    const made = await withDumpProgress(output, root, dump, (hooks) => {
      const all = { ...dump, ...limits, hooks: { ...stepHooks(output), ...hooks } };
      return store.checkpoint(root, all as StoredDumpOptions);
    });
    const { dump: result, ...checkpoint } = made;
    output.result({ ...summaryOf(checkpoint), dump: result }, checkpoint.directory);
    output.hint(`process ${root}: ${formatDump(result.stats)}`);
    reportOccupied(output, result.occupiedPids);
  });
}
