import { existsSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import { builtins } from '../builtins.ts';
import { deleteTable, tablesIn } from '../netlink/nftables.ts';
import type { CriuOpts } from '../options/types.ts';
import { environment } from '../worker/environment.ts';
import type { Connection } from './tcp-repair.ts';

/** The lock that a criu has made, or was about to make. */
export interface NetworkLock {
  readonly method: CriuOpts['networkLock'];
  /** A descriptor of the network namespace that CRIU has locked as a whole; -1 if it locks single connections of ours. */
  readonly netns: number;
  /** What it locks in ours. */
  readonly connections: readonly Connection[];
  /** The names that this criu may have had for its table of nftables; undefined if they are not known. */
  readonly tables: readonly string[] | undefined;
}

/**
 * Takes away what locks the network for a dump that will not be, and nothing else: as CRIU does it
 * when it is not killed. Tells what stays. Without a method both are looked for: the default is
 * chosen when CRIU is built.
 */
export async function unlockNetwork(lock: NetworkLock): Promise<string[]> {
  if (lock.method === 'skip') return [];
  const left: string[] = [];
  const attempt = async (what: string, action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      left.push(`${what} that lock the network (${(error as Error).message.split('\n')[0]})`);
    }
  };
  if (lock.method !== 'nftables') {
    for (const program of ['iptables', 'ip6tables'] as const) {
      if (program === 'ip6tables' && !existsSync('/proc/net/if_inet6')) continue;
      await attempt(`rules of ${program}`, () => removeRules(program, lock));
    }
  }
  if (lock.method !== 'iptables') {
    await attempt('rules of nftables', () => removeTable(lock));
  }
  return left;
}

async function removeTable({ netns, tables }: NetworkLock): Promise<void> {
  for (const table of tables ?? []) await deleteTable(netns, table);
  if (tables) return;
  const suspects = (await tablesIn(netns)).filter((name) => name.startsWith('CRIU-'));
  if (suspects.length === 0) return;
  const names = suspects.map((name) => `inet ${name}`).join(', ');
  throw new Error(`it may be ${names}: only a log of level 3 tells which`);
}

/** How often to try when the rules change at the same time. */
const TRIES = 5;

async function removeRules(program: 'iptables' | 'ip6tables', lock: NetworkLock): Promise<void> {
  const family = program === 'iptables' ? 4 : 6;
  const own = lock.connections.filter((connection) => connection.family === family);
  if (lock.netns < 0 && own.length === 0) return;
  const locking = new Set(own.flatMap(rulesOf));
  for (let tries = 1; ; tries++) {
    const rules = await run(lock.netns, program, ['-w', '-S']);
    // Without the program CRIU could not lock by it either.
    if (rules === undefined) return;
    const commands = lock.netns < 0 ? undoRules(rules, locking) : undoChain(rules);
    if (commands.length === 0) return;
    const text = ['*filter', ...commands, 'COMMIT', ''].join('\n');
    try {
      await run(lock.netns, `${program}-restore`, ['-w', '--noflush'], text);
      return;
    } catch (error) {
      // Another has changed them since, and all of it is refused if one is gone.
      if (tries === TRIES) throw error;
    }
  }
}

/** The rules that CRIU makes for a connection: CHAIN SOURCE PORT DESTINATION PORT. */
function rulesOf({ local, remote, family }: Connection): string[] {
  const [a, b] = [local, remote].map(
    ({ address, port }) => `${canonical(address, family)} ${port}`,
  );
  return [`INPUT ${b} ${a}`, `OUTPUT ${a} ${b}`];
}

/** One of the rules that CRIU makes to lock a connection, as iptables lists it. */
const locks =
  /^-A (INPUT|OUTPUT) -s ([\da-f.:]+)\/\d+ -d ([\da-f.:]+)\/\d+ -p tcp -m mark ! --mark 0xc114 -m tcp --sport (\d+) --dport (\d+) -j DROP$/;

function undoRules(rules: string, locking: ReadonlySet<string>): string[] {
  return rules.split('\n').flatMap((line) => {
    const [, chain, source = '', destination = '', from, to] = locks.exec(line) ?? [];
    const family = source.includes(':') ? 6 : 4;
    const ends = `${canonical(source, family)} ${from} ${canonical(destination, family)} ${to}`;
    return chain && locking.has(`${chain} ${ends}`) ? line.replace('-A', '-D') : [];
  });
}

/** An earlier dump in the same namespace may have its lock there, too: that one stays. */
function undoChain(rules: string): string[] {
  const lines = rules.split('\n');
  const jumps = ['-A INPUT -j CRIU', '-A OUTPUT -j CRIU'];
  const counts = jumps.map((jump) => lines.filter((line) => line === jump).length);
  const last = counts.every((count) => count <= 1) && lines.includes('-N CRIU');
  return [
    ...jumps.filter((_, index) => counts[index]).map((jump) => jump.replace('-A', '-D')),
    ...(last ? ['-F CRIU', '-X CRIU'] : []),
  ];
}

function canonical(address: string, family: 4 | 6): string {
  return address && new SocketAddress({ address, family: `ipv${family}` }).address;
}

/**
 * Runs a program in a network namespace; undefined if there is no such program. By Node's own spawn,
 * which copies the page tables of this process: it happens only after a criu was killed.
 */
function run(
  netns: number,
  file: string,
  args: readonly string[],
  input?: string,
): Promise<string | undefined> {
  const env = Object.fromEntries(environment().map((entry) => entry.split(/=(.*)/s, 2)));
  const enter = netns < 0 ? [] : ['nsenter', `--net=/proc/${process.pid}/fd/${netns}`];
  const [program = '', ...all] = [...enter, file, ...args];
  const { execFile } = builtins.childProcess;
  return new Promise((resolve, reject) => {
    const child = execFile(program, all, { env, maxBuffer: Infinity }, (error, stdout, stderr) => {
      const said = stderr.trim().split('\n')[0];
      if (!error) resolve(stdout);
      else if (error.code === 'ENOENT' && program === file) resolve(undefined);
      // So says nsenter of a program that is not there.
      else if (error.code === 127) resolve(undefined);
      else reject(new Error(said || error.message));
    });
    // It may end before it has read.
    child.stdin?.on('error', () => {}).end(input);
  });
}
