#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { formatError } from './failure.ts';
import { addHelp } from './help.ts';
import { printError, printErrorEvent } from './output.ts';
import { verbsFor } from './verbs.ts';

const WRONG_USAGE = 'ERR_CRIU_INVALID_ARGUMENT';

const examples = `
  $ node-criu run --stdout app.log --stderr app.log -- node app.js
  4711
  $ node-criu preflight 4711
  $ node-criu dump 4711 -D images
  $ node-criu restore -D images
  4711
  $ node-criu dump --help`;

function command(): Command {
  const program = addHelp(new Command('node-criu'), examples)
    .description(
      'Dump running programs to disk, restore them, and move them between hosts, with CRIU.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpCommand(false)
    .enablePositionalOptions()
    .configureOutput({
      outputError: (text, write) =>
        write(`${formatError({ message: messageOf(text), code: WRONG_USAGE })}\n`),
    })
    .exitOverride();
  for (const add of verbsFor(process.argv[2])) add(program);
  return program;
}

async function main(program: Command): Promise<number> {
  try {
    await program.parseAsync();
    // A verb sets it for findings.
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    // Commander has printed the error, possibly before it read --json.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.done;
      if (process.argv.includes('--json'))
        printErrorEvent({ code: WRONG_USAGE, message: messageOf(error.message) });
      return exitCodes.wrongUsage;
    }
    const given = all(program).map((each) => each.opts());
    printError(error, {
      json: given.some(({ json }) => json === true),
      logFormat: given.some(({ logFormat }) => logFormat === 'json') ? 'json' : 'text',
    });
    return exitCodeOf(error);
  }
}

/** A command and its subcommands, at all levels. */
function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

/** A message of commander, such as `error: unknown option '--jsn'` with a hint, in one line. */
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

// Our errors contain the messages of gRPC.
process.env.GRPC_VERBOSITY ??= 'NONE';
// A verb goes on without its output: ending it here could leave processes that are neither here nor there.
let outputError: Error | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // EPIPE is no failure: the reader, such as `head`, needs no more output.
  if (error.code === 'EPIPE' || outputError) return;
  outputError = error;
  printError(error, {});
  process.exitCode ||= exitCodes.failed;
});
process.stderr.on('error', () => {});
main(command()).then((code) => {
  process.exitCode = code === exitCodes.done && outputError ? exitCodes.failed : code;
});
