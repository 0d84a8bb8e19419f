import { type Command, Option } from 'commander';
import type { CheckpointOptions } from '../index.ts';
import { withDumpProgress } from './dump-progress.ts';
import { addCommon, addFlags, addQuiet, type Common, defined, NEGATION_HELP } from './flags.ts';
import { addHelp, RARE } from './help.ts';
import { reportOccupied } from './occupied-pids.ts';
import { formatDump, pid } from './quantities.ts';
import { encryptionOf } from './secrets.ts';
import { stepHooks } from './steps.ts';
import {
  addStreamFlags,
  dumpToOutput,
  isStreaming,
  type StreamFlags,
  withoutStreamFlags,
  wrongStream,
} from './streams.ts';
import { withCriu } from './verb.ts';

const description = [
  'Freeze a process and its descendants, and write them to a directory. The dump ends the processes ' +
    'unless you give --leave-running. If it fails or is cancelled, they continue.',
  'The directory is created with mode 0700, because the images contain the memory of the processes. ' +
    'A checkpoint in it is kept unless you give --overwrite, and then until the new one is complete. ' +
    'To learn beforehand what would make the dump fail, run node-criu preflight PID.',
  'With --stream, the images go to standard output as a tar archive. The processes stay frozen until all of it is ' +
    'written; if that fails, they continue.',
  NEGATION_HELP,
].join('\n\n');

const examples = `
  $ node-criu dump 4711 -D /var/lib/app/images
  $ node-criu dump 4711 -D images --tcp-established --file-locks --leave-running
  $ node-criu dump 4711 -D images --deadline 10s --json
  $ node-criu dump 4711 --stream --compression gzip > app.tar.gz`;

/** Adds the verb `dump`. */
export function addDump(program: Command): void {
  const command = addHelp(program.command('dump'), examples)
    .summary('freeze a process tree and write it to a directory')
    .description(description)
    .argument('<pid>', 'the root of the process tree', pid);
  const insecure = new Option(
    '--insecure',
    'with --lazy-pages: send memory without TLS to whoever connects first',
  );
  addStreamFlags(
    addQuiet(addCommon(addFlags(command, ['dump', 'preDump'], { except: ['stream'] }))),
    'dump',
  )
    .option('--pre-dump', 'only copy memory while the processes run, as a round before a dump')
    .option('--force', 'dump also a process tree that cannot be restored')
    .addOption(insecure.helpGroup(RARE))
    .action(async (root: number, given: DumpFlags) => {
      const error = wrongStream(given, true);
      if (error) command.error(`error: ${error}`);
      await (isStreaming(given) ? dumpStream(root, given) : dump(root, given));
    });
}

interface DumpFlags extends CheckpointOptions, Common, Omit<StreamFlags, 'stream'> {}

async function dump(root: number, given: DumpFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const result = await withDumpProgress(output, root, options, (hooks) => {
      const all = { ...options, ...limits, hooks: { ...stepHooks(output), ...hooks } };
      return criu.checkpoint(root, all as CheckpointOptions);
    });
    const { stats, imagesDirectory } = result;
    output.result(result, `${imagesDirectory}: process ${root}, ${formatDump(stats)}`);
    reportOccupied(output, result.occupiedPids);
  });
}

async function dumpStream(root: number, given: DumpFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const { compression } = options;
    const encryption = await encryptionOf(options);
    const result = await dumpToOutput(criu, root, {
      ...{ ...withoutStreamFlags(options), ...limits, hooks: stepHooks(output) },
      ...defined({ compression, encryption }),
    });
    output.hint(`process ${root}, ${formatDump(result.stats)}`);
    reportOccupied(output, result.occupiedPids);
  });
}
