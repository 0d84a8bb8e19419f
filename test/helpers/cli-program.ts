import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { verbs } from '../../src/cli/verbs.ts';

/** The command with all its verbs, which only report that they were called. */
export function cliProgram(onCall: (verb: string) => void = () => {}): Command {
  const program = new Command('node-criu').enablePositionalOptions();
  for (const add of verbs) add(program);
  for (const verb of [program, ...program.commands.flatMap((each) => [each, ...each.commands])]) {
    verb.exitOverride().configureOutput({ writeErr() {} });
    if (verb.commands.length === 0) verb.action(() => onCall(verb.name()));
  }
  return program;
}

/**
 * The commands that a shell script calls, each with its arguments. Runs the script without a PATH, so
 * that no command is really executed; each call is recorded and prints a pid.
 */
export async function callsOf(script: string): Promise<string[][]> {
  const directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
  try {
    const record = join(directory, 'record');
    const preamble = `
      PATH=/nonexistent pid=4711
      command_not_found_handle() {
        printf '%s\\0' "$@" >> ${record}; printf '\\n' >> ${record}; echo 4711
      }`;
    await execa('/bin/bash', ['-ec', `${preamble}\n${script}`], { cwd: directory });
    const calls = (await readFile(record, 'utf8')).split('\0\n').filter(Boolean);
    return calls.map((call) => call.split('\0'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
