import type { Command } from 'commander';
import { type ListedMigration, listMigrations } from '../index.ts';
import { addJson, defined } from './flags.ts';
import { addHelp } from './help.ts';
import { formatBytes, formatTime } from './quantities.ts';
import { withOutput } from './verb.ts';

const description = [
  'List the migrations from and to this host that are in flight or unresolved: the state in the journal of ' +
    'this host and since when, the root process here, the bytes moved, and the process that runs it.',
  'An unresolved migration is left by a process that has ended. If the role of this host is source, finish ' +
    'it with node-criu resolve; if it is destination, start node-criu serve with the same directory.',
].join('\n\n');

const examples = `
  $ node-criu migrations
  ID                                    ROLE    STATUS     STATE        SINCE                 PID   BYTES    PEER           AGENT
  4f1d9c2e-6a2f-4c1e-9d53-0f8c0c2b7a11  source  in-flight  handed-over  2026-05-04T10:20:31Z  4711  1.5 GiB  192.0.2.2:7007  812`;

/** Adds the verb `migrations`. */
export function addMigrations(program: Command): void {
  const command = addHelp(program.command('migrations'), examples)
    .summary('list migrations in flight and unresolved')
    .description(description)
    .option('-D, --directory <dir>', 'directory of the journals (default: /var/lib/node-criu)');
  addJson(command).action(async (given: { directory?: string; json?: boolean }) => {
    const { directory, json = false } = given;
    await withOutput({ json }, async (output) => {
      const migrations = await listMigrations(defined({ directory }));
      output.result({ migrations }, migrations.length === 0 ? '' : tableOf(migrations));
    });
  });
}

function tableOf(migrations: readonly ListedMigration[]): string {
  const titles = ['ID', 'ROLE', 'STATUS', 'STATE', 'SINCE', 'PID', 'BYTES', 'PEER', 'AGENT'];
  const rows = migrations.map(({ id, role, status, state, since, pid, bytes, peer, agent }) => [
    ...[id, role, status, state, formatTime(since.toISOString())],
    ...[pid ?? '-', bytes === undefined ? '-' : formatBytes(bytes), peer ?? '-', agent ?? '-'],
  ]);
  const all = [titles, ...rows.map((row) => row.map(String))];
  const widths = titles.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
