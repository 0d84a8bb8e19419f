import { resolve } from 'node:path';
import type { Command } from 'commander';
import { spawnCheckpointable } from '../index.ts';
import { assertStarted, stderrFile } from './early-end.ts';
import { addHelp } from './help.ts';

interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly json?: true;
}

const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

const description = [
  'Start a program so that CRIU can dump it, and print its pid.',
  "Everything after the program's name is passed to the program. Node 20 needs " +
    '--no-wasm-memory-protection-keys to be restored on a processor with protection keys.',
  'The program runs in the background, in a session of its own, without a terminal and with no ' +
    'descriptors but its standard streams. It cannot use io_uring, which Node 22 and newer open and ' +
    'CRIU cannot dump. Its output is discarded unless you name a file for it.',
  'The command ends once the program waits for something, or after 2 seconds. If the program ends ' +
    'before, the command fails and prints its exit code and the last lines of its standard error.',
].join('\n\n');

const examples = `
  $ node-criu run --stdout app.log --stderr app.log -- node app.js --port 8080
  4711

  $ pid=$(node-criu run --cwd /srv/app -- ./server)`;

/** Adds the verb `run`. */
export function addRun(program: Command): void {
  addHelp(program.command('run'), examples)
    .summary('start a program so that CRIU can dump it, and print its pid')
    .description(description)
    .argument('<program>', 'a path, or a name to look up on PATH')
    .argument('[args...]', 'arguments of the program')
    .option('--cwd <dir>', 'working directory of the program (default: the current one)')
    .option('--stdin <file>', 'read standard input from a file (default: empty)')
    .option('--stdout <file>', 'append standard output to a file (default: discarded)')
    .option('--stderr <file>', 'append standard error to a file (default: discarded)')
    .option('--json', 'print {"pid":4711} instead of the bare pid')
    .passThroughOptions()
    .action(run);
}

async function run(file: string, args: string[], options: RunOptions): Promise<void> {
  // An absolute path, because the library takes the word ignore as a value of its own.
  const streams = STREAMS.flatMap((name) => {
    const path = options[name];
    return path === undefined ? [] : [[name, path && resolve(path)]];
  });
  const stderr = await stderrFile(options.stderr);
  const program = await spawnCheckpointable(file, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...Object.fromEntries(streams),
  });
  await assertStarted(file, program, stderr);
  const { pid } = program;
  process.stdout.write(`${options.json ? JSON.stringify({ pid }) : pid}\n`);
}
