import { invalid, unknownOption } from '../../errors.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import { checkOptions } from '../../options/check.ts';
import { limits } from '../../options/operation-options.ts';
import { OPERATION } from './failures.ts';
import type { MigrateOptions } from './migrate.ts';

const MODES: readonly string[] = ['stop-and-copy', 'pre-copy', 'post-copy', 'hybrid'];
const OPTIONS: ReadonlySet<string> = new Set([
  ...['to', 'tls', 'insecure', 'mode', 'policy', 'dump', 'switchOver', 'switchBack', 'signal'],
  ...['deadlineMs', 'hooks', 'directory', 'path', 'rateLimit', 'stallMs'],
]);
/** What the migration decides by itself. */
const OWN = [
  ...['imagesDirectory', 'workDirectory', 'pageServer', 'parentImage', 'trackMem', 'lazyPages'],
  ...['leaveRunning', 'leaveStopped', 'statusFd', 'signal', 'deadlineMs', 'insecure', 'stream'],
  'tls',
];

/** Checks what a migration is given. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkMigrateOptions(pid: number, given: MigrateOptions): MigrateOptions {
  for (const name of Object.keys(given)) {
    if (!OPTIONS.has(name)) throw unknownOption(OPERATION, name);
  }
  const { to, mode, dump, switchOver, switchBack, rateLimit, stallMs, hooks } = given;
  if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff) {
    throw invalid(OPERATION, 'pid', 'a positive integer', pid);
  }
  const { host, port } = to ?? {};
  if (typeof host !== 'string' || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw invalid(OPERATION, 'to', '{ host: string, port: 1 to 65535 }', to);
  }
  if (mode !== undefined && !MODES.includes(mode)) {
    throw invalid(OPERATION, 'mode', `one of '${MODES.join("', '")}'`, mode);
  }
  if (dump !== undefined && (typeof dump !== 'object' || dump === null)) {
    throw invalid(OPERATION, 'dump', 'an object of options', dump);
  }
  for (const option of OWN) {
    if (!Object.hasOwn(dump ?? {}, option)) continue;
    const value = dump?.[option as keyof DumpOptions];
    throw invalid(OPERATION, `dump.${option}`, 'nothing: the migration sets it', value);
  }
  checkOptions(OPERATION, { signal: given.signal, deadlineMs: given.deadlineMs }, limits);
  checkHooks(hooks);
  for (const [name, value] of Object.entries({ switchOver, switchBack })) {
    if (value !== undefined && typeof value !== 'function') {
      throw invalid(OPERATION, name, 'a function', value);
    }
  }
  for (const [name, value] of Object.entries({ rateLimit, stallMs })) {
    if (value !== undefined && !(typeof value === 'number' && value >= 1)) {
      throw invalid(OPERATION, name, 'a number from 1', value);
    }
  }
  checkStateDirectory(OPERATION, given.directory);
  return given;
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkStateDirectory(operation: string, directory: unknown): void {
  if (directory !== undefined && (typeof directory !== 'string' || directory === '')) {
    throw invalid(operation, 'directory', 'the path of a directory', directory);
  }
}

function checkHooks(hooks: MigrateOptions['hooks']): void {
  if (hooks === undefined) return;
  if (typeof hooks !== 'object' || hooks === null) {
    throw invalid(OPERATION, 'hooks', '{ phase?: a function }', hooks);
  }
  const { phase, ...unknown } = hooks;
  for (const name of Object.keys(unknown)) throw unknownOption(OPERATION, `hooks.${name}`);
  if (phase !== undefined && typeof phase !== 'function') {
    throw invalid(OPERATION, 'hooks.phase', 'a function', phase);
  }
}
