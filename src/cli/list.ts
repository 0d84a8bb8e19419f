import type { Command } from 'commander';
import { CheckpointStore, type StoredCheckpoint } from '../index.ts';
import { addJson, defined } from './flags.ts';
import { addHelp } from './help.ts';
import { formatBytes } from './quantities.ts';
import { printable, tableOrParagraphs } from './text-layout.ts';
import { withOutput } from './verb.ts';

interface ListFlags {
  readonly json?: boolean;
  readonly name?: string;
  readonly latest?: boolean;
}

const description = [
  'List the checkpoints in a store, the newest first: a directory that node-criu checkpoint has filled.',
  'With --latest, print only the path of the newest one, for node-criu restore and show; the exit code is 1 if ' +
    'there is none.',
].join('\n\n');

const examples = `
  $ node-criu list /var/lib/checkpoints
  ID                              PID   SIZE     COMMAND
  web.20261129T194711417Z-c54cbf  4711  1.5 MiB  node app.js

  $ node-criu restore -D "$(node-criu list /var/lib/checkpoints --name web --latest)"`;

/** Adds the verb `list`. */
export function addList(program: Command): void {
  const command = addHelp(program.command('list'), examples)
    .summary('list the checkpoints in a store')
    .description(description)
    .argument('<directory>', 'the directory of the store')
    .option('--name <name>', 'only checkpoints with this name')
    .option('--latest', 'print only the path of the newest checkpoint');
  addJson(command).action(list);
}

async function list(directory: string, flags: ListFlags): Promise<void> {
  const { json = false, name, latest = false } = flags;
  await withOutput({ json }, async (output) => {
    await using store = new CheckpointStore(directory);
    const checkpoints = await store.list(defined({ name }));
    if (latest) {
      const [newest] = checkpoints;
      if (!newest) process.exitCode = 1;
      output.result({ checkpoint: newest && summaryOf(newest) }, newest?.directory ?? '');
      return;
    }
    const text = checkpoints.length === 0 ? '' : tableOf(checkpoints);
    if (text === '') output.hint(`there is no checkpoint in ${printable(directory)}`);
    output.result({ checkpoints: checkpoints.map(summaryOf) }, text);
  });
}

/** Checkpoints for a person. */
export function tableOf(checkpoints: readonly StoredCheckpoint[]): string {
  const rows = checkpoints.map(({ id, pid, bytes, manifest }) => {
    const command = manifest.processes[0]?.command?.join(' ') ?? '';
    return [id, String(pid), formatBytes(bytes), printable(command)];
  });
  return tableOrParagraphs(['ID', 'PID', 'SIZE', 'COMMAND'], rows);
}

/** A checkpoint for a program: what the manifest adds is in the directory. */
export function summaryOf({ manifest, ...rest }: StoredCheckpoint) {
  return { ...rest, command: manifest.processes[0]?.command };
}
