// Hosts and a client on a bridge, each made of namespaces: for the tests, the demos and the benchmarks
// of migration. Nothing of it is in the machine's own network namespace, and all of it ends with this
// process.
//
// @ts-check
/** @import { ChildProcess, SpawnOptions } from 'node:child_process' */
/** @import { Readable } from 'node:stream' */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const SERVICE = '10.77.0.100';
const SERVICE_V6 = 'fd77::100';
/** How many lines of each log the report of a failure has. */
const LINES_OF_LOG = 25;
/** The first pids of the hosts are this far apart: the pids of a process from one host are free on the others. */
const PIDS = 10_000;
/** The init process of a host: reaps orphans, and ends when its standard input is closed. */
const INIT = 'echo ready; exec env --ignore-signal=CHLD cat > /dev/null';
const INIT_OF_HOST = `mount -t tmpfs -o mode=755 none /run; ${INIT}`;

/** Hosts, by default two, and a client on a bridge, and service addresses that move between the hosts. */
export class Lab {
  /** Host a has it at first. */
  serviceAddress = SERVICE;
  /** The same with IPv6. */
  serviceAddressV6 = SERVICE_V6;
  #namespaces;

  /**
   * @param {readonly Namespaces[]} namespaces those of the bridge, the client and the hosts
   * @param {string} directory
   */
  constructor(namespaces, directory) {
    const [bridge, client, ...hosts] = /** @type {[Namespaces, Namespaces, ...Namespaces[]]} */ (
      namespaces
    );
    this.#namespaces = namespaces;
    /** A directory that the hosts and the client share. */
    this.directory = directory;
    this.client = new Host('client', '10.77.0.250', client, bridge);
    /** All hosts: a, b, c and so on. */
    this.hosts = hosts.map((one, index) => {
      const name = String.fromCharCode('a'.charCodeAt(0) + index);
      return new Host(/** @type {'a' | 'b'} */ (name), `10.77.0.${index + 1}`, one, bridge);
    });
    const [a, b] = /** @type {[Host, Host]} */ (this.hosts);
    this.a = a;
    this.b = b;
  }

  /**
   * Starts the hosts and the client.
   * @param {{ parent?: string, count?: number }} [options] `parent` is where the lab's directory is made: the system's
   *   temporary directory by default; `count` is the number of hosts, by default 2
   */
  static async start({ parent = tmpdir(), count = 2 } = {}) {
    const ownPids = ['--pid', '--mount', '--mount-proc', '--kill-child'];
    const all = [[], ...Array.from({ length: count + 1 }, () => ownPids)];
    const starts = all.map((flags) => Namespaces.start(flags));
    const started = (await Promise.allSettled(starts)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    );
    try {
      const namespaces = await Promise.all(starts);
      const lab = new Lab(namespaces, await mkdtemp(join(parent, 'node-criu-lab-')));
      await lab.#connect(/** @type {Namespaces} */ (namespaces[0]));
      return lab;
    } catch (error) {
      await Promise.all(started.map((one) => one.close()));
      throw error;
    }
  }

  /** @param {Namespaces} bridge */
  async #connect(bridge) {
    await bridge.ip('link set lo up', 'link add bridge type bridge', 'link set bridge up');
    for (const host of [this.client, ...this.hosts]) await host.connect(bridge);
    for (const [index, host] of this.hosts.entries()) await host.prepare((index + 1) * PIDS);
    await this.a.ip(`addr add ${SERVICE}/32 dev eth0`, `addr add ${SERVICE_V6}/128 dev eth0 nodad`);
  }

  /** Does on both hosts what a restore needs if the address moves by other means than the library's. */
  async makeServiceBindable() {
    await this.a.makeBindable(SERVICE);
    await this.b.makeBindable(SERVICE);
  }

  /**
   * Moves the service address from one host to the other, and announces it.
   * @param {Host} from
   * @param {Host} to
   */
  async moveService(from, to) {
    await this.takeService(from);
    await this.giveService(to);
  }

  /**
   * Removes the service address from a host.
   * @param {Host} from
   */
  async takeService(from) {
    await from.ip(`addr del ${SERVICE}/32 dev eth0`);
  }

  /**
   * Adds the service address to a host, and announces it.
   * @param {Host} to
   */
  async giveService(to) {
    await to.ip(`addr add ${SERVICE}/32 dev eth0`, announcement(to));
  }

  /** The processes and connections of each host, and the last lines of each log, for the report of a failure. */
  async describe() {
    const parts = [];
    for (const host of [this.client, ...this.hosts]) {
      const processes = await host.run('ps', ['-eo', 'pid,ppid,stat,wchan:24,etimes,args']);
      const connections = await host.run('ss', ['-tanpo']);
      parts.push(`host ${host.name}:\n${processes}${connections}`);
    }
    for (const name of await readdir(this.directory, { recursive: true })) {
      if (!name.endsWith('.log')) continue;
      const lines = (await readFile(join(this.directory, name), 'utf8')).trimEnd().split('\n');
      parts.push(`${name}:\n${lines.slice(-LINES_OF_LOG).join('\n')}\n`);
    }
    return parts.join('\n');
  }

  /** Ends the hosts with everything that runs in them, and removes the directory. Idempotent. */
  async close() {
    await Promise.all(this.#namespaces.map((one) => one.close()));
    await rm(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

/**
 * Network, pid and mount namespaces with a /proc and a /run of their own. Everything else is shared with
 * the machine.
 *
 * @template {string} [Name='a' | 'b']
 */
export class Host {
  #namespaces;
  #bridge;
  /** The MAC address of eth0. */
  linkAddress = '';

  /**
   * @param {Name} name
   * @param {string} address
   * @param {Namespaces} namespaces the host's own
   * @param {Namespaces} bridge the network namespace of the bridge
   */
  constructor(name, address, namespaces, bridge) {
    this.name = name;
    this.address = address;
    this.#namespaces = namespaces;
    this.#bridge = bridge;
  }

  /** The pid, as the machine sees it, of the host's init process. */
  get init() {
    return this.#namespaces.init;
  }

  /**
   * Connects the host to the bridge.
   * @param {Namespaces} bridge
   */
  async connect(bridge) {
    const { name, address, init } = this;
    await bridge.ip(
      `link add name ${name} type veth peer name eth0 netns ${init}`,
      `link set dev ${name} master bridge up`,
    );
    await this.ip(
      'link set lo up',
      `addr add ${address}/24 dev eth0`,
      `addr add fd77::${address.split('.').at(-1)}/64 dev eth0 nodad`,
      'link set eth0 up',
    );
    const links = JSON.parse(await this.run('ip', ['-json', 'link', 'show', 'dev', 'eth0']));
    this.linkAddress = links[0].address;
  }

  /**
   * Sets the first pid, and makes eth0 announce its addresses when its link address is set.
   * @param {number} firstPid
   */
  async prepare(firstPid) {
    await this.write('/proc/sys/kernel/ns_last_pid', firstPid);
    await this.write('/proc/sys/net/ipv4/conf/eth0/arp_notify', 1);
  }

  /**
   * Adds an address to the loopback device, so that a socket can be bound to it before the address moves
   * here. Only the addresses of eth0 are announced to others.
   * @param {string} address
   */
  async makeBindable(address) {
    await this.write('/proc/sys/net/ipv4/conf/eth0/arp_ignore', 1);
    await this.write('/proc/sys/net/ipv4/conf/eth0/arp_announce', 2);
    await this.ip(`addr add ${address}/32 dev lo`);
  }

  /**
   * Writes a setting of the kernel.
   * @param {string} path
   * @param {number} value
   */
  async write(path, value) {
    await this.run('sh', ['-ec', `echo ${value} > ${path}`]);
  }

  /** The addresses of a device, as ADDRESS/PREFIX, without those of the link. @param {string} device */
  async addressesOf(device) {
    const [link] = JSON.parse(await this.run('ip', ['-json', 'address', 'show', 'dev', device]));
    /** @type {{ local: string, prefixlen: number, scope: string }[]} */
    const all = link.addr_info;
    return all
      .filter(({ scope }) => scope !== 'link')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  }

  /**
   * The command line that runs a program in the host.
   * @param {string} file
   * @param {readonly string[]} [args]
   */
  inside(file, args = []) {
    return [...this.#namespaces.entering, file, ...args];
  }

  /**
   * Starts a program in the host. The returned process is nsenter's: a signal to it does not reach the
   * program.
   * @param {string} file
   * @param {readonly string[]} args
   * @param {SpawnOptions} options
   */
  spawn(file, args, options) {
    const [nsenter = '', ...rest] = this.inside(file, args);
    return spawn(nsenter, rest, options);
  }

  /**
   * Runs a program in the host; resolves with its standard output.
   * @param {string} file
   * @param {readonly string[]} args
   * @param {SpawnOptions} [options]
   */
  async run(file, args, options) {
    return await output(this.spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /**
   * Runs commands of ip(8) in the host.
   * @param {readonly string[]} commands
   */
  async ip(...commands) {
    await this.#namespaces.ip(...commands);
  }

  /**
   * The pid, as the machine sees it, of the process that has this pid in the host.
   * @param {number} pid
   * @returns {Promise<number | undefined>}
   */
  async outside(pid) {
    const level = (await pidsOf(this.init)).length - 1;
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      // A process can be in a pid namespace below that of the host.
      if ((await pidsOf(name))[level] === pid && (await this.#has(Number(name))))
        return Number(name);
    }
    return undefined;
  }

  /**
   * Whether a process or an ancestor of it is in the pid namespace of the host.
   * @param {number} pid its pid outside
   */
  async #has(pid) {
    const namespace = await pidNamespace(this.init);
    for (let each = pid; each > 1; ) {
      if ((await pidNamespace(each)) === namespace) return true;
      const status = await statusOf(each);
      each = Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
    }
    return false;
  }

  /**
   * Sends a signal to the process that has this pid in the host.
   * @param {number} pid
   * @param {NodeJS.Signals} [signal]
   */
  async kill(pid, signal = 'SIGKILL') {
    const outside = await this.outside(pid);
    if (outside === undefined) throw new Error(`host ${this.name} has no process ${pid}`);
    process.kill(outside, signal);
  }

  /** Drops all packets from and to the host; its link stays up. */
  async stall() {
    await this.#bridge.bridge(`link set dev ${this.name} state 0`);
  }

  /** Ends what stall() began. */
  async unstall() {
    await this.#bridge.bridge(`link set dev ${this.name} state 3`);
  }

  /**
   * Resets the connections with another host's own address, on both ends.
   * @param {Host<string>} peer
   */
  async cut(peer) {
    await this.run('ss', ['--no-header', '--kill', '--tcp', 'dst', peer.address]);
  }

  /** Ends the host and everything in it without a packet to anybody, as a power failure does. */
  async crash() {
    await this.stall();
    await this.#namespaces.close();
  }
}

/** Namespaces that a process keeps alive, which ends with this one. */
class Namespaces {
  #child;
  #exited;

  /**
   * @param {ChildProcess} child
   * @param {Promise<unknown>} exited
   * @param {number} init
   * @param {readonly string[]} entering
   */
  constructor(child, exited, init, entering) {
    this.#child = child;
    this.#exited = exited;
    /** The pid of a process in them. */
    this.init = init;
    /** The command line that enters them, without the program. */
    this.entering = entering;
  }

  /**
   * Makes a network namespace, and others.
   * @param {readonly string[]} flags of unshare(1)
   */
  static async start(flags) {
    const own = flags.includes('--pid');
    const args = ['--net', ...flags, ...(own ? ['--fork'] : [])];
    const script = own ? INIT_OF_HOST : INIT;
    const child = spawn('unshare', [...args, 'sh', '-ec', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const ready = await Promise.race([once(child.stdout, 'data'), exited]);
    if (String(ready[0]) !== 'ready\n') throw new Error(`no namespaces: unshare ${args.join(' ')}`);
    const pid = Number(child.pid);
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const init = own ? Number(children) : pid;
    const kinds = own ? ['--mount', '--net', '--pid'] : ['--net'];
    return new Namespaces(child, exited, init, ['nsenter', `--target=${init}`, ...kinds]);
  }

  /** @param {readonly string[]} commands of ip(8) */
  async ip(...commands) {
    await this.#batch('ip', commands);
  }

  /** @param {readonly string[]} commands of bridge(8) */
  async bridge(...commands) {
    await this.#batch('bridge', commands);
  }

  /**
   * @param {string} tool
   * @param {readonly string[]} commands
   */
  async #batch(tool, commands) {
    const [nsenter = '', ...args] = [...this.entering, tool, '-batch', '-'];
    const child = spawn(nsenter, args, { stdio: 'pipe' });
    child.stdin.on('error', () => {}).end(`${commands.join('\n')}\n`);
    await output(child);
  }

  async close() {
    this.#child.stdin?.destroy();
    this.#child.kill('SIGKILL');
    await this.#exited;
    // When the init process dies the kernel kills the rest of its pid namespace, which takes a moment.
    while (existsSync(`/proc/${this.init}`)) await sleep(1);
  }
}

/**
 * The command that makes a host announce its addresses: with arp_notify the kernel does so whenever
 * the link address is set, even to the same value.
 * @param {Host<string>} host
 */
function announcement({ linkAddress }) {
  return `link set dev eth0 address ${linkAddress}`;
}

/**
 * The standard output of a process that succeeds; rejects with its standard error if it fails.
 * @param {ChildProcess} child
 */
async function output(child) {
  const [out, err] = /** @type {[Readable, Readable]} */ ([child.stdout, child.stderr]);
  const said = Promise.all([text(out), text(err)]);
  const [code, signal] = await once(child, 'exit');
  const [stdout, stderr] = await said;
  if (code === 0) return stdout;
  throw new Error(`${child.spawnargs.join(' ')}: ${signal ?? `status ${code}`}\n${stderr}`);
}

/**
 * The pids of a process in its namespace and in those above, the outermost first.
 * @param {number | string} pid
 */
async function pidsOf(pid) {
  const [, pids = ''] = /^NSpid:\s*(.*)$/m.exec(await statusOf(pid)) ?? [];
  return pids.split(/\s+/).map(Number);
}

/** @param {number | string} pid */
async function statusOf(pid) {
  return await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
}

/** @param {number | string} pid */
async function pidNamespace(pid) {
  return await readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
}
