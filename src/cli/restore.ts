import { isatty } from 'node:tty';
import type { Command } from 'commander';
import type { RestoreOptions } from '../index.ts';
import { addCommon, addFlags, addQuiet, type Common, defined, NEGATION_HELP } from './flags.ts';
import { awaitInForeground } from './foreground.ts';
import { addHelp } from './help.ts';
import { encryptionOf } from './secrets.ts';
import { stepHooks } from './steps.ts';
import {
  addStreamFlags,
  isStreaming,
  type StreamFlags,
  withoutStreamFlags,
  wrongStream,
} from './streams.ts';
import { withCriu } from './verb.ts';

const description = [
  'Restore a dumped process tree with its original pids, and print the pid of its root. The ' +
    'processes continue in the background after the command ends, unless you give --foreground.',
  '--foreground waits until the root process ends, passes signals on to it, prints nothing but steps, and ' +
    "exits with the process's exit code, or with 128 and the number of the signal that ended it. Ctrl-Z " +
    'stops both, and fg continues both. With --shell-job on a terminal this is the default, and the ' +
    'processes get the terminal.',
  'Options of the dump that a restore needs, such as --tcp-established, --shell-job and --file-locks, are in ' +
    'its file node-criu.json; name them again if there is none. If the restore fails or is cancelled, no ' +
    'process of it remains, and the images stay intact.',
  'With --stream, the images come from standard input, as dump --stream has written them. They are read to their ' +
    'end, and verified, before anything is restored.',
  NEGATION_HELP,
].join('\n\n');

const examples = `
  $ node-criu restore -D /var/lib/app/images
  4711

  $ node-criu restore -D images --tcp-established --file-locks
  $ node-criu restore -D images --foreground
  $ ssh backup cat app.tar.gz | node-criu restore --stream
  $ node-criu restore -D images --inherit-fd 'pipe:[12345]=3' 3>out.log`;

/** Adds the verb `restore`. */
export function addRestore(program: Command): void {
  const command = addHelp(program.command('restore'), examples)
    .summary('restore a dumped process tree, and print its pid')
    .description(description);
  addStreamFlags(
    addQuiet(addCommon(addFlags(command, ['restore'], { except: ['stream'] }))),
    'restore',
  )
    .option('--foreground', 'wait until it ends, pass signals on, and exit with its exit code')
    .action(async (given: RestoreFlags) => {
      const error = wrongStream(given, false);
      if (error) command.error(`error: ${error}`);
      await restore(given);
    });
}

interface RestoreFlags extends RestoreOptions, Common, Omit<StreamFlags, 'stream'> {
  readonly foreground?: true;
}

async function restore(given: RestoreFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits, interruption }) => {
    // A shell takes its terminal back when the command ends.
    const { foreground = isatty(0) && (await isShellJob(given)), ...others } = options;
    const common = { ...limits, hooks: stepHooks(output), ...(foreground && { asChild: true }) };
    const restored = isStreaming(given)
      ? await criu.restoreStream(process.stdin, {
          ...{ ...withoutStreamFlags(others), ...common },
          ...defined({ encryption: await encryptionOf(others) }),
        })
      : await criu.restore({ ...others, ...common });
    const { pid, stats, log, durationMs } = restored;
    output.result({ pid, stats, log, durationMs }, foreground ? '' : String(pid));
    if (!foreground) return;
    interruption[Symbol.dispose]();
    process.exitCode = await awaitInForeground(restored);
  });
}

/** As the library takes it: from the flag, or from the dump. */
async function isShellJob({ shellJob, imagesDirectory, manifest }: RestoreFlags): Promise<boolean> {
  if (shellJob !== undefined || manifest === false) return shellJob === true;
  const { readManifest } = await import('../images.ts');
  // The restore itself reports a damaged file.
  const known = await readManifest(imagesDirectory as string).catch(() => undefined);
  return known?.restore.options.shellJob === true;
}
