import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { verbs } from '../../src/cli/verbs.ts';

/** The command with all its verbs, which only report that they were called. */
export function cliProgram(onCall: (verb: string) => void = () => {}): Command {
  const program = new Command('node-criu').enablePositionalOptions();
  for (const add of Object.values(verbs)) add(program);
  for (const verb of [program, ...program.commands.flatMap((each) => [each, ...each.commands])]) {
    verb.exitOverride().configureOutput({ writeErr() {} });
    if (verb.commands.length === 0) verb.action(() => onCall(verb.name()));
  }
  return program;
}

/**
 * The commands that a shell script calls, each with its arguments. Runs the script without a PATH, so
 * that no command is really executed; each call is recorded and prints a pid. Each has a file of its own,
 * because the commands of a pipe run at the same time.
 */
export async function callsOf(script: string): Promise<string[][]> {
  const directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
  try {
    const records = join(directory, 'records');
    await mkdir(records);
    // Files from which a command reads its standard input.
    for (const [, file = ''] of script.matchAll(/ < ([\w.-]+)/g)) {
      await writeFile(join(directory, file), '');
    }
    const preamble = `
      PATH=/nonexistent pid=4711
      command_not_found_handle() {
        printf '%s\\0' "$@" > ${records}/$EPOCHREALTIME-$BASHPID; echo 4711
      }`;
    await execa('/bin/bash', ['-ec', `${preamble}\n${script}`], { cwd: directory });
    const calls = (await readdir(records))
      .sort()
      .map((call) => readFile(join(records, call), 'utf8'));
    return (await Promise.all(calls)).map((call) => call.split('\0').slice(0, -1));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
