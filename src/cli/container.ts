import { type Command, Option } from 'commander';
import type {
  ContainerLinks,
  ExportContainerOptions,
  ImportContainerOptions,
  RestoreContainerOptions,
} from '../containers.ts';
import type { DumpOptions } from '../index.ts';
import { addContainerMigrate, migrateExamples } from './container-migrate.ts';
import { containerLinkFlag } from './container-place.ts';
import { withDumpProgress } from './dump-progress.ts';
import {
  addCommon,
  addFlags,
  addJson,
  addQuiet,
  type Common,
  defined,
  NEGATION_HELP,
} from './flags.ts';
import { addHelp } from './help.ts';
import type { OptionName } from './option-names.ts';
import { formatBytes, formatDump } from './quantities.ts';
import { stepHooks } from './steps.ts';
import { withCriu, withOutput } from './verb.ts';

const checkpointExamples = `
  $ node-criu container checkpoint web -o web.tar.zst --tcp-established
  $ node-criu container checkpoint 4f2a -D /var/lib/checkpoints/web --leave-running`;

const restoreExamples = `
  $ node-criu container restore -D /var/lib/checkpoints/web --id web --bundle /srv/web
  $ node-criu container restore web.tar.zst --directory /var/lib/web --bundle /srv/web`;

const inspectExamples = `
  $ node-criu container inspect web.tar.zst
  $ node-criu container inspect web.tar.zst --json | jq .image.name`;

/** Options of CRIU that a container sets, or that need more than a directory. */
const setByContainer: readonly OptionName[] = [
  ...(['root', 'bindRoot', 'orphanPtsMaster', 'manageCgroups', 'configFile'] as const),
  ...(['lazyPages', 'pageServer', 'statusFd', 'stream', 'tls', 'freezeCgroup'] as const),
];

/** Adds the verb `container`. */
export function addContainer(program: Command): void {
  const container = addHelp(
    program.command('container'),
    `${checkpointExamples}${restoreExamples}${inspectExamples}${migrateExamples}`,
  )
    .summary('checkpoint, restore and migrate containers of runc and others')
    .description(
      'Checkpoint, restore and migrate containers of runc, Podman, containerd and Docker.',
    )
    .helpCommand(false);
  addCheckpoint(container);
  addRestore(container);
  addInspect(container);
  addRuntime(addContainerMigrate(container, setByContainer));
}

interface CheckpointFlags extends DumpOptions, Common {
  readonly output?: string;
  readonly stateRoot?: string;
  readonly runtime?: string;
  readonly name?: string;
  readonly image?: string;
  readonly compression?: ExportContainerOptions['compression'];
}

function addCheckpoint(container: Command): void {
  const command = addHelp(container.command('checkpoint'), checkpointExamples)
    .summary('dump a container to a directory or an archive')
    .description(
      [
        'Dump a running container to a directory (-D), or into an archive (-o) that podman container restore ' +
          '--import takes. The dump ends the container unless you give --leave-running; runc then no longer ' +
          'knows it.',
        'The images are those of runc: runc restore restores them.',
        NEGATION_HELP,
      ].join('\n\n'),
    )
    .argument('<id>', 'the id of the container, or the beginning of it')
    .option('-o, --output <file>', 'write an archive; .gz and .zst compress it')
    .addOption(
      new Option('--compression <method>', 'how to compress the archive').choices([
        ...['none', 'gzip', 'zstd'],
      ]),
    )
    .option('--name <name>', 'the name of the container in the archive')
    .option('--image <name>', 'the name of its image in the archive');
  addRuntime(command);
  addQuiet(addCommon(addFlags(command, ['dump'], { except: setByContainer }))).action(
    async (id: string, given: CheckpointFlags) => {
      if ((given.output === undefined) === (given.imagesDirectory === undefined)) {
        command.error('error: give either an archive (-o) or a directory (-D)');
      }
      await checkpoint(id, given);
    },
  );
}

async function checkpoint(id: string, given: CheckpointFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const { output: file, stateRoot, runtime, name, image, compression, ...dump } = options;
    const { openContainer, exportContainer } = await import('../containers.ts');
    const container = await openContainer(criu, id, defined({ root: stateRoot, runtime }));
    const made = await withDumpProgress(output, container.pid, dump, async (hooks) => {
      const all = { ...dump, ...limits, hooks: { ...stepHooks(output), ...hooks } };
      if (file === undefined) return { dump: await container.dump(all as DumpOptions) };
      return await exportContainer(container, file, {
        ...(all as ExportContainerOptions),
        ...defined({ name, image, compression }),
      });
    });
    const where =
      'file' in made ? `${made.file} (${formatBytes(made.bytes)})` : made.dump.imagesDirectory;
    const text = `${where}: container ${container.id}, ${formatDump(made.dump.stats)}`;
    output.result({ id: container.id, ...made }, text);
  });
}

interface RestoreFlags extends Partial<RestoreContainerOptions>, Common {
  readonly directory?: string;
  readonly rootfs?: string;
  readonly stateRoot?: string;
  readonly containerLink?: ContainerLinks;
}

function addRestore(container: Command): void {
  const command = addHelp(container.command('restore'), restoreExamples)
    .summary('restore a container from a directory or an archive')
    .description(
      [
        'Restore a container from the images in a directory (-D), or from an archive, which is unpacked to ' +
          '--directory, and print its pid. runc restores it, and knows it afterwards; with --no-runtime ' +
          'node-criu restores it by itself.',
        'Its standard streams are replaced by /dev/null if they were pipes. The devices of its own network are made ' +
          'again if --container-link says what they join.',
        NEGATION_HELP,
      ].join('\n\n'),
    )
    .argument('[archive]', 'an archive of node-criu container checkpoint, podman or CRI-O')
    .option('--id <id>', 'the id of the restored container; that in the archive by default')
    .option('--bundle <directory>', 'the directory with its config.json')
    .option('--directory <directory>', 'where to unpack the archive')
    .option('--rootfs <directory>', 'with an archive: the files of its image, for a new bundle')
    .option('--console-socket <path>', 'a unix socket that gets its terminal')
    .addOption(containerLinkFlag());
  // The order matters to commander: the other way round, the default would be true.
  addRuntime(command).option('--no-runtime', 'restore it without a runtime');
  addQuiet(addCommon(addFlags(command, ['restore'], { except: setByContainer }))).action(
    async (archive: string | undefined, given: RestoreFlags) => {
      const wrong = wrongRestore(archive, given);
      if (wrong) command.error(`error: ${wrong}`);
      await restore(archive, given);
    },
  );
}

function wrongRestore(archive: string | undefined, given: RestoreFlags): string | undefined {
  const { imagesDirectory, directory, id, bundle } = given;
  if ((archive === undefined) === (imagesDirectory === undefined)) {
    return 'give either an archive or a directory (-D)';
  }
  if (archive !== undefined) {
    return directory === undefined ? 'give --directory, where to unpack the archive' : undefined;
  }
  return id === undefined || bundle === undefined ? 'give --id and --bundle' : undefined;
}

async function restore(archive: string | undefined, given: RestoreFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const { importContainer, restoreContainer } = await import('../containers.ts');
    const { stateRoot, containerLink: network, ...others } = options;
    const all = {
      ...others,
      ...limits,
      ...defined({ root: stateRoot, network }),
      hooks: stepHooks(output),
    };
    const restored =
      archive === undefined
        ? await restoreContainer(criu, all as RestoreContainerOptions)
        : await importContainer(criu, archive, all as ImportContainerOptions);
    const { container, stats, log, durationMs } = restored;
    const { id, pid } = container;
    output.result({ id, pid, stats, log, durationMs }, String(pid));
  });
}

function addInspect(container: Command): void {
  const command = addHelp(container.command('inspect'), inspectExamples)
    .summary('show what a checkpoint archive has')
    .description(
      'Show what a checkpoint archive has: the container, its image, networks, sizes and statistics. Nothing is ' +
        'unpacked.',
    )
    .argument('<archive>', 'an archive, or the directory that it was unpacked to');
  addJson(command).action(async (archive: string, { json = false }: { json?: boolean }) => {
    await withOutput({ json }, async (output, signal) => {
      const { formatCheckpointArchive, inspectCheckpointArchive } = await import(
        '../containers.ts'
      );
      const found = await inspectCheckpointArchive(archive, { signal });
      output.result(found, json ? '' : formatCheckpointArchive(found));
    });
  });
}

/** The flags that name a runtime. */
function addRuntime(command: Command): Command {
  return command
    .option('--state-root <directory>', "the state directory of the runtime: runc's --root")
    .option('--runtime <program>', 'the runtime; runc by default');
}
