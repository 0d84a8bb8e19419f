import { existsSync } from 'node:fs';
import { CriuError } from '../index.ts';
import { rowOf } from '../options/table.ts';

/** An error for people: what is wrong, and below it what is in the way and what helps. */
export function formatError(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  const lines = [`node-criu: ${messageOf(error, message)}${code ? ` (${code})` : ''}`];
  if (error instanceof CriuError) {
    lines.push(...(error.findings ?? []).map((finding) => `  ${formatFinding(finding)}`));
    lines.push(...(error.leftovers ?? []).map((leftover) => `  left over: ${leftover}`));
    // That of a migration goes with its images.
    if (error.log && existsSync(error.log.path)) lines.push(`  log: ${error.log.path}`);
  }
  return lines.join('\n');
}

/** The same for programs. */
export function errorProperties(error: unknown): object {
  if (!(error instanceof CriuError)) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { code, message };
  }
  const { code, message, operation, option, errno, criuMessage, log } = error;
  const { exit, workload, pid, cancelled, findings, leftovers } = error;
  const process = { exit, workload, pid, cancelled, findings, leftovers };
  return { code, message, operation, option, errno, criuMessage, log, ...process };
}

interface Told {
  readonly severity?: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly pid?: number;
  readonly remedy?: string;
}

/** A finding of preflight or of verifyImages, in one line. */
export function formatFinding({ severity = 'error', code, pid, message, remedy }: Told): string {
  const isNamed = pid === undefined || new RegExp(`\\bprocess ${pid}\\b`).test(message);
  const who = isNamed ? '' : ` process ${pid}:`;
  const what = message.replace(/[^.]$/, '$&.');
  return `${severity} ${code}:${who} ${what}${remedy ? ` ${withFlags(remedy)}` : ''}`;
}

/** Without the name of the method that found it, and with flags for the names of options. */
function messageOf(error: unknown, message: string): string {
  if (!(error instanceof CriuError)) return message;
  const method = `${error.operation}: `;
  const own = message.startsWith(method) ? message.slice(method.length) : message;
  const text = own.replace(/\bresolveMigration\('([^']+)'\)/, 'node-criu resolve $1');
  const { option = '', operation = '' } = error;
  const flag = (migrations.has(operation) ? flagsOfMigrations : flagsOfTls)[option];
  const isNamed = option !== '' && text.startsWith(option) && (flag || rowOf.has(option));
  return withFlags(isNamed ? (flag ?? flagOf(option)) + text.slice(option.length) : text);
}

/** What the library calls `tcpEstablished` is --tcp-established here. */
function withFlags(text: string): string {
  return text.replace(/\b[a-z]+[A-Z]\w*/g, (word) => {
    if (word === 'spawnCheckpointable') return 'node-criu run';
    return rowOf.has(word) ? flagOf(word) : word;
  });
}

const migrations: ReadonlySet<string> = new Set(['migrate', 'serveMigrations', 'resolveMigration']);
/** What the options of migrations are here; all others are CRIU's. */
const flagsOfMigrations: Readonly<Record<string, string>> = {
  mode: '--mode',
  directory: '--directory',
  rateLimit: '--rate-limit',
  'tls.ca': '--ca',
  'tls.cert': '--cert',
  'tls.key': '--key',
};

/** The flags that make up the option `tls`. */
const flagsOfTls: Readonly<Record<string, string>> = {
  'tls.ca': '--tls-cacert',
  'tls.crl': '--tls-cacrl',
  'tls.cert': '--tls-cert',
  'tls.key': '--tls-key',
};

/** The flag for an option of the library. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
