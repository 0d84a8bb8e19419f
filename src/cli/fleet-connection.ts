import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Fleet, FleetOptions } from '../fleet.ts';
import { CriuError } from '../index.ts';
import { addJson } from './flags.ts';
import { RARE } from './help.ts';
import type { Interruption } from './interruption.ts';
import type { Output, OutputFlags } from './output.ts';
import { withOutput } from './verb.ts';

/** The packages that a fleet needs beside node-criu. */
const PACKAGES = ['bullmq', 'ioredis', 'redis-semaphore'] as const;
const DEFAULT_PORT = 6379;

/** The flags of {@link addConnection}. */
export interface ConnectionFlags extends OutputFlags {
  readonly redis?: string;
  readonly redisCa?: string;
  readonly redisPasswordFile?: string;
  readonly fleet?: string;
}

/** The flags of {@link addOperator}. */
export interface OperatorFlags extends ConnectionFlags {
  readonly operator?: string;
  readonly key?: string;
}

/** Adds the flags that say which fleet it is. */
export function addConnection(command: Command): Command {
  return addJson(command)
    .addOption(
      new Option('--redis <url>', 'the Redis of the fleet: rediss://USER@HOST:PORT').env(
        'NODE_CRIU_REDIS',
      ),
    )
    .addOption(
      new Option(
        '--redis-password-file <file>',
        'read the password of Redis from a file',
      ).helpGroup(RARE),
    )
    .addOption(
      new Option('--redis-ca <file>', 'certificate authority of Redis, for rediss:').helpGroup(
        RARE,
      ),
    )
    .addOption(
      new Option('--fleet <name>', 'the name of the fleet (default: default)')
        .env('NODE_CRIU_FLEET')
        .helpGroup(RARE),
    );
}

/** Adds the flags of verbs that give orders. */
export function addOperator(command: Command): Command {
  return addConnection(command)
    .addOption(
      new Option('--operator <name>', 'the name of the operator').env('NODE_CRIU_OPERATOR'),
    )
    .addOption(
      new Option('--key <file>', 'his key: NAME.key of node-criu fleet keygen').env(
        'NODE_CRIU_OPERATOR_KEY',
      ),
    );
}

/** What a verb of a fleet works with. */
export interface FleetContext {
  readonly fleet: Fleet;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly interruption: Interruption;
}

/** Runs a verb that looks at a fleet. */
export async function withFleet(
  given: ConnectionFlags,
  work: (context: FleetContext) => Promise<void>,
): Promise<void> {
  await withConnection(given, undefined, work);
}

/** Runs a verb that gives orders. */
export async function withOperator(
  given: OperatorFlags,
  work: (context: FleetContext) => Promise<void>,
): Promise<void> {
  const { operator: name, key } = given;
  if (name === undefined || key === undefined) {
    throw wrong(
      'give --operator and --key, or set NODE_CRIU_OPERATOR and NODE_CRIU_OPERATOR_KEY, to give orders',
    );
  }
  const privateKey = await textOf(key, '--key');
  await withConnection(given, { name, privateKey }, work);
}

async function withConnection(
  given: ConnectionFlags,
  operator: FleetOptions['operator'],
  work: (context: FleetContext) => Promise<void>,
): Promise<void> {
  const redis = await redisOf(given);
  await withOutput(given, async (output, signal, interruption) => {
    // Until something has been ordered, Ctrl-C has nothing to cancel: it ends the command.
    interruption[Symbol.dispose]();
    const { Fleet } = await loadFleet();
    const { fleet: name } = given;
    await using fleet = await Fleet.connect({
      redis,
      ...(name !== undefined && { name }),
      ...(operator && { operator }),
    });
    await work({ fleet, output, signal, interruption });
  });
}

/** Loads `node-criu/fleet`. @throws CriuError ERR_CRIU_FLEET if packages that it needs are not installed */
export async function loadFleet(): Promise<typeof import('../fleet.ts')> {
  try {
    return await import('../fleet.ts');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const isMissing = PACKAGES.some((name) => message.includes(`'${name}'`));
    if (!code.endsWith('MODULE_NOT_FOUND') || !isMissing) throw error;
    const reason = `a fleet needs packages that are not installed: npm install ${PACKAGES.join(' ')}`;
    throw new CriuError('ERR_CRIU_FLEET', reason, { operation: 'fleet', cause: error });
  }
}

/** Where Redis is, as options of ioredis. */
async function redisOf({
  redis: url,
  redisCa,
  redisPasswordFile,
}: ConnectionFlags): Promise<Exclude<FleetOptions['redis'], string>> {
  if (url === undefined) {
    throw wrong('give --redis, or set NODE_CRIU_REDIS: the URL of the Redis of the fleet');
  }
  const file = redisPasswordFile && (await textOf(redisPasswordFile, '--redis-password-file'));
  const password = file?.trim();
  // A unix socket.
  if (url.startsWith('/')) return { path: url, ...(password && { password }) };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    // Without its value, which may have a password.
    throw wrong('--redis takes redis://HOST:PORT, rediss://HOST:PORT or the path of a unix socket');
  }
  const { hostname, port, username, password: inUrl, pathname, protocol } = parsed;
  if (redisCa !== undefined && protocol !== 'rediss:') {
    throw wrong('--redis-ca needs a URL with rediss:');
  }
  const ca = redisCa && (await textOf(redisCa, '--redis-ca'));
  const secret = password || decodeURIComponent(inUrl);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? DEFAULT_PORT : Number(port),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(secret !== '' && { password: secret }),
    ...(/^\/\d+$/.test(pathname) && { db: Number(pathname.slice(1)) }),
    ...(protocol === 'rediss:' && { tls: ca ? { ca } : {} }),
  };
}

/** Reads a file. @throws CriuError that names the flag */
export async function textOf(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw wrong(`${flag}: ${(cause as Error).message}`);
  }
}

/** An error of the command line. */
export function wrong(message: string): CriuError {
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message);
}
