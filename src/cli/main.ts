#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { exitCodeOf, exitCodes, exitCodesHelp } from './exit-code.ts';
import { tellError, tellFacts } from './output.ts';
import { verbs } from './verbs.ts';

const WRONG_USAGE = 'ERR_CRIU_INVALID_ARGUMENT';

const examples = `
Examples:
  $ node-criu run --stdout app.log --stderr app.log -- node app.js
  4711
  $ node-criu preflight 4711
  $ node-criu dump 4711 -D images
  $ node-criu restore -D images
  4711

Each command has more to say: node-criu dump --help`;

function command(): Command {
  const program = new Command('node-criu')
    .description(
      'Freeze running programs to disk, bring them back, and move them between hosts, with CRIU.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .showHelpAfterError('Try: node-criu --help')
    .configureOutput({
      outputError: (text, write) => write(`node-criu: ${messageOf(text)} (${WRONG_USAGE})\n`),
    })
    .addHelpText('after', examples)
    .exitOverride();
  for (const add of verbs) add(program);
  for (const each of all(program)) each.addHelpText('after', exitCodesHelp);
  return program;
}

async function main(program: Command): Promise<number> {
  try {
    await program.parseAsync();
    // What a verb has found may be a reason as well.
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    // It has said what there is to say; perhaps before it has come to --json.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.done;
      if (process.argv.includes('--json'))
        tellFacts({ code: WRONG_USAGE, message: messageOf(error.message) });
      return exitCodes.wrongUsage;
    }
    tellError(
      error,
      all(program).some((each) => each.opts().json === true),
    );
    return exitCodeOf(error);
  }
}

/** A command and all below it. */
function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

/** What commander says, in one line: `error: unknown option '--jsn'`, and perhaps a hint. */
function messageOf(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ');
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

// What gRPC has to say comes in our errors as well.
process.env.GRPC_VERBOSITY ??= 'NONE';
// A reader that has hung up, as `head`, has what it wanted; nobody has what does not fit on a disk.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') tellError(error, false);
  process.exit(exitCodes.failed);
});
main(command()).then((code) => {
  process.exitCode = code;
});
