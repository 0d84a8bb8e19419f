import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type CheckpointableProcess, spawnCheckpointable } from '../index.ts';
import { assertStarted, earlyEnd, type StderrFile, stderrFile } from './early-end.ts';
import { defined } from './flags.ts';
import { addHelp } from './help.ts';
import { variable } from './pairs.ts';
import { port } from './quantities.ts';
import { idsOf } from './user.ts';
import { withOutput } from './verb.ts';

interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly pidNamespace?: true;
  readonly ipcNamespace?: true;
  readonly waitPort?: number;
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
  'The command ends once the program and its children wait for something, or after 2 seconds, or with ' +
    '--wait-port once it listens. If the program ends before, the command fails and prints its exit code and the last ' +
    'lines of its standard error if --stderr names a file, otherwise the command line that prints them.',
].join('\n\n');

const examples = `
  $ node-criu run --stdout app.log --stderr app.log -- node app.js --port 8080
  4711

  $ pid=$(node-criu run --cwd /srv/app --env PORT=8080 --wait-port 8080 -- ./server)
  $ node-criu run --user www-data -- ./server`;

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
    .option('--env <name=value>', 'set a variable of the environment (may be repeated)', variable)
    .option('--user <user[:group]>', 'run as this user: names or numbers')
    .option('--pid-namespace', 'give a program of root pids of its own, of which its is 1')
    .option('--ipc-namespace', 'give it System V shared memory, semaphores and queues of its own')
    .option('--wait-port <port>', 'end once the program listens on this TCP port', listeningPort)
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
  const { cwd, env, user, pidNamespace, ipcNamespace, waitPort, json = false } = options;
  const program = await spawnCheckpointable(file, args, {
    ...defined({ cwd, pidNamespace, ipcNamespace }),
    ...(env && { env: { ...process.env, ...env } }),
    ...(user !== undefined && (await idsOf(user))),
    ...Object.fromEntries(streams),
  });
  if (waitPort === undefined) await assertStarted(file, program, stderr);
  else await awaitPort(file, program, stderr, waitPort);
  const { pid } = program;
  process.stdout.write(`${json ? JSON.stringify({ pid }) : pid}\n`);
}

/** Waits until the program listens; Ctrl-C ends it. */
async function awaitPort(
  file: string,
  program: CheckpointableProcess,
  stderr: StderrFile | undefined,
  port: number,
): Promise<void> {
  await withOutput({ quiet: true }, async (_output, signal, interruption) => {
    interruption.react([
      {
        message: `ending ${file}, which does not listen on port ${port} yet`,
        action: (by) => interruption.cancel(by),
      },
    ]);
    await program.listening(port, { signal }).catch(async (error) => {
      if (error.code === 'ERR_CRIU_PROGRAM_ENDED') throw await earlyEnd(file, program, stderr);
      program.kill('SIGKILL');
      throw error;
    });
  });
}

function listeningPort(text: string): number {
  const number = port(text);
  if (number === 0) throw new InvalidArgumentError('Give a port from 1 to 65535.');
  return number;
}
