import { existsSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import { builtins } from '../builtins.ts';
import { deleteTable, tablesIn } from '../netlink/nftables.ts';
import type { CriuOpts } from '../options/types.ts';
import { environment } from '../worker/environment.ts';
import type { Connection } from './tcp-repair.ts';

/** The network lock that a criu has made, or was about to make. */
export interface NetworkLock {
  /** The method of the dump; undefined for the default, which is chosen when CRIU is built. */
  readonly method: CriuOpts['networkLock'];
  /**
   * A descriptor of the network namespace that CRIU locked as a whole; -1 if it locked connections in
   * the network namespace of this process.
   */
  readonly netns: number;
  /** The connections that CRIU locked. */
  readonly connections: readonly Connection[];
  /** The names that CRIU may have given to its nftables table; undefined if nobody knows them. */
  readonly tables: readonly string[] | undefined;
}

/**
 * Removes the network lock of a dump that was rolled back, as CRIU does unless it is killed. Removes
 * nothing else. Without a method it looks for the locks of both.
 * @returns one phrase for each part of the lock that could not be removed
 */
export async function unlockNetwork(lock: NetworkLock): Promise<string[]> {
  if (lock.method === 'skip') return [];
  const leftovers: string[] = [];
  const attempt = async (what: string, action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      leftovers.push(`${what} that lock the network (${(error as Error).message.split('\n')[0]})`);
    }
  };
  if (lock.method !== 'nftables') {
    for (const program of ['iptables', 'ip6tables'] as const) {
      if (program === 'ip6tables' && !existsSync('/proc/net/if_inet6')) continue;
      await attempt(`${program} rules`, () => removeRules(program, lock));
    }
  }
  if (lock.method !== 'iptables') {
    await attempt('nftables rules', () => removeTable(lock));
  }
  return leftovers;
}

async function removeTable({ netns, tables }: NetworkLock): Promise<void> {
  for (const table of tables ?? []) await deleteTable(netns, table);
  if (tables) return;
  const suspects = (await tablesIn(netns)).filter((name) => name.startsWith('CRIU-'));
  if (suspects.length === 0) return;
  const names = suspects.map((name) => `inet ${name}`).join(', ');
  throw new Error(`one of ${names}; only a log of level 3 has the name`);
}

/** How often the rules are edited when another program changes them at the same time. */
const MAX_ATTEMPTS = 5;

async function removeRules(program: 'iptables' | 'ip6tables', lock: NetworkLock): Promise<void> {
  const family = program === 'iptables' ? 4 : 6;
  const own = lock.connections.filter((connection) => connection.family === family);
  if (lock.netns < 0 && own.length === 0) return;
  const locking = new Set(own.flatMap(rulesOf));
  for (let attempt = 1; ; attempt++) {
    const rules = await run(lock.netns, program, ['-w', '-S']);
    // CRIU cannot have used a program that is not installed.
    if (rules === undefined) return;
    const commands = lock.netns < 0 ? undoRules(rules, locking) : undoChain(rules);
    if (commands.length === 0) return;
    const text = ['*filter', ...commands, 'COMMIT', ''].join('\n');
    try {
      await run(lock.netns, `${program}-restore`, ['-w', '--noflush'], text);
      return;
    } catch (error) {
      // The program rejects all commands if one of the rules is gone by now.
      if (attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** The rules that CRIU makes for a connection, as CHAIN SOURCE PORT DESTINATION PORT. */
function rulesOf({ local, remote, family }: Connection): string[] {
  const [a, b] = [local, remote].map(
    ({ address, port }) => `${canonical(address, family)} ${port}`,
  );
  return [`INPUT ${b} ${a}`, `OUTPUT ${a} ${b}`];
}

/** A rule with which CRIU locks a connection, as `iptables -S` lists it. */
const lockRule =
  /^-A (INPUT|OUTPUT) -s ([\da-f.:]+)\/\d+ -d ([\da-f.:]+)\/\d+ -p tcp -m mark ! --mark 0xc114 -m tcp --sport (\d+) --dport (\d+) -j DROP$/;

function undoRules(rules: string, locking: ReadonlySet<string>): string[] {
  return rules.split('\n').flatMap((line) => {
    const [, chain, source = '', destination = '', from, to] = lockRule.exec(line) ?? [];
    const family = source.includes(':') ? 6 : 4;
    const ends = `${canonical(source, family)} ${from} ${canonical(destination, family)} ${to}`;
    return chain && locking.has(`${chain} ${ends}`) ? line.replace('-A', '-D') : [];
  });
}

/** Removes the chain CRIU, but keeps it for an earlier dump that has locked the same namespace. */
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
 * Runs a program in a network namespace; resolves with its output, or undefined if it is not installed.
 * Node's own spawn is slow in a large process, but this runs only after a criu was killed.
 */
function run(
  netns: number,
  file: string,
  args: readonly string[],
  input?: string,
): Promise<string | undefined> {
  const enter = netns < 0 ? [] : ['nsenter', `--net=/proc/${process.pid}/fd/${netns}`];
  const [program = '', ...all] = [...enter, file, ...args];
  const { execFile } = builtins.childProcess;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      all,
      { env: environment(), maxBuffer: Infinity },
      (error, stdout, stderr) => {
        const [reason] = stderr.trim().split('\n');
        if (!error) resolve(stdout);
        else if (error.code === 'ENOENT' && program === file) resolve(undefined);
        // The exit code of nsenter for a program that is not installed.
        else if (error.code === 127) resolve(undefined);
        else reject(new Error(reason || error.message));
      },
    );
    // The program may end before it has read its input.
    child.stdin?.on('error', () => {}).end(input);
  });
}
