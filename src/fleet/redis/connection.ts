import { Redis, type RedisOptions } from 'ioredis';
import { CriuError } from '../../errors.ts';
import { fleetFailure } from '../failure.ts';

/** The Redis of a fleet: a URL such as `rediss://agent:secret@192.0.2.5:6380`, or options of ioredis. */
export type FleetRedis = string | RedisOptions;

/** How long the first connection may take, in milliseconds. */
const CONNECT_MS = 10_000;
/** The oldest Redis that BullMQ runs on without restrictions. */
const OLDEST = [6, 2] as const;

/**
 * Opens a connection. Commands wait while it is interrupted.
 * @param warn is told of interruptions
 */
export function openRedis(given: FleetRedis, warn: (error: Error) => void): Redis {
  const own = {
    lazyConnect: true,
    // What BullMQ's workers require: a command waits for the connection to come back.
    maxRetriesPerRequest: null,
    enableAutoPipelining: true,
    retryStrategy: (times: number) => Math.min(times * 100, 3000),
  };
  const redis =
    typeof given === 'string'
      ? new Redis(given, own)
      : new Redis({ ...withoutMapping(given), ...own });
  return redis.on('error', warn);
}

/** Replies have the form that BullMQ expects. */
function withoutMapping({ replyMapping: _, ...options }: RedisOptions) {
  return options;
}

/** Waits until Redis answers, and checks that it is one that keeps what it is given. */
export async function requireRedis(operation: string, redis: Redis): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let cause: Error | undefined;
  const note = (error: Error) => {
    cause = error;
  };
  redis.on('error', note);
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it did not answer in time')), CONNECT_MS);
  });
  try {
    await Promise.race([redis.connect(), late]);
    const info = await Promise.race([redis.info(), late]);
    requireVersion(operation, info);
    requireNoEviction(operation, info);
  } catch (error) {
    redis.disconnect();
    if (error instanceof CriuError) throw error;
    throw redisFailure(operation, cause ?? (error as Error), redis);
  } finally {
    clearTimeout(timer);
    redis.off('error', note);
  }
}

function requireVersion(operation: string, info: string): void {
  const [, version = '0.0'] = /^redis_version:(\S+)/m.exec(info) ?? [];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw fleetFailure(operation, `Redis ${version} is too old: a fleet needs ${OLDEST.join('.')}`);
}

function requireNoEviction(operation: string, info: string): void {
  const [, policy] = /^maxmemory_policy:(\S+)/m.exec(info) ?? [];
  const [, limit] = /^maxmemory:(\d+)/m.exec(info) ?? [];
  if (policy === undefined || policy === 'noeviction' || limit === '0') return;
  const remedy = 'set maxmemory-policy noeviction';
  throw fleetFailure(operation, `Redis removes keys when it is full (${policy}): ${remedy}`);
}

/** The error of a command that Redis has refused, or could not be asked, with what to do about it. */
export function redisFailure(operation: string, error: Error, redis: Redis): CriuError {
  if (error instanceof CriuError) return error;
  const { host, port, path, username } = redis.options;
  const where = path ?? `${host}:${port}`;
  const { message } = error;
  const reasons: readonly [RegExp, string][] = [
    [/^OOM /, 'Redis is full: raise its maxmemory, or remove old jobs'],
    [
      /NOPERM|The user executing the script/,
      `Redis does not let the user ${username ?? 'default'} do this: ${message}`,
    ],
    [/^(NOAUTH|WRONGPASS) /, `Redis at ${where} does not accept the password: ${message}`],
    [/^MISCONF /, `Redis cannot write to its disk: ${message}`],
    [/^READONLY /, `Redis at ${where} is a replica: connect to its primary`],
    [/^LOADING /, `Redis at ${where} is still loading its data`],
  ];
  const [, reason = `Redis at ${where} cannot be asked: ${message}`] =
    reasons.find(([pattern]) => pattern.test(message)) ?? [];
  return fleetFailure(operation, reason, { cause: error });
}
