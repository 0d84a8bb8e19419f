import type { Command } from 'commander';
import type { LazyRestoreOptions } from '../index.ts';
import { addCommon, addFlags, addQuiet, type Common, NEGATION_HELP } from './flags.ts';
import { addHelp } from './help.ts';
import { stepHooks } from './steps.ts';
import { withCriu } from './verb.ts';

const description = [
  'Restore a dumped process tree that runs at once, while its memory is still being read. The command ' +
    'prints the pid of the root and ends when all of the memory is there.',
  'The memory comes from the images, or with --page-server from a host that runs a lazy dump and keeps ' +
    'the original frozen. If it cannot be read, or if the command is cancelled, the processes are killed: ' +
    'they cannot run without it.',
  'Repeat the options of the dump: --tcp-established, --shell-job, --file-locks and so on.',
  NEGATION_HELP,
].join('\n\n');

const examples = `
  $ node-criu lazy-restore -D /var/lib/app/images
  4711

  $ node-criu lazy-restore -D images --page-server 192.0.2.1:27027 --tls \\
      --tls-cacert ca.pem --tls-cert target.pem --tls-key target.key`;

/** Adds the verb `lazy-restore`. */
export function addLazyRestore(program: Command): void {
  const command = addHelp(program.command('lazy-restore'), examples)
    .summary('restore a process tree before its memory has been read')
    .description(description);
  addFlags(addQuiet(addCommon(command)), ['restore', 'lazyPages'], {
    required: ['imagesDirectory'],
    except: ['lazyPages', 'asChild', 'stream'],
    common: ['imagesDirectory', 'tcpEstablished', 'fileLocks', 'shellJob', 'pageServer', 'tls'],
  })
    .option('--insecure', 'fetch memory from another host without TLS')
    .action(lazyRestore);
}

async function lazyRestore(given: LazyRestoreOptions & Common): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits, interruption }) => {
    const hooks = stepHooks(output);
    const { restored, pagesDone } = await criu.lazyRestore({ ...options, ...limits, hooks });
    const { pid, stats, log } = restored;
    interruption.react([
      { message: 'press Ctrl-C again to cancel, which kills the processes: they lack memory' },
      { message: 'killing the processes', action: (by) => interruption.cancel(by) },
    ]);
    output.step({ step: 'pages', pid }, `process ${pid} runs; reading the rest of its memory`);
    const { pages, durationMs } = await pagesDone;
    output.result({ pid, pages, durationMs, stats, log }, String(pid));
  });
}
