// Hosts made of namespaces, on a bridge of their own: for tests, demo and benchmarks of migration.
// Nothing of it is in the machine's own network namespace, and all of it ends with this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const SERVICE = '10.77.0.100';
/** Where the pids of a host begin: what comes from the one finds its pids free on the other. */
const FIRST_PIDS = { a: 10_000, b: 20_000 };
/** The first process of a host: reaps what is left to it, and ends with the one that holds its input. */
const INIT = 'echo ready; exec env --ignore-signal=CHLD cat > /dev/null';
const INIT_OF_HOST = `mount -t tmpfs -o mode=755 none /run; ${INIT}`;

export class Lab {
  serviceAddress = SERVICE;
  #holders = [];

  static async start({ parent = tmpdir() } = {}) {
    const lab = new Lab();
    try {
      lab.directory = await mkdtemp(join(parent, 'node-criu-lab-'));
      await lab.#start();
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  async #start() {
    const ownPids = ['--pid', '--mount', '--mount-proc', '--kill-child'];
    const holders = [[], ownPids, ownPids, ownPids].map((flags) => Holder.start(flags));
    this.#holders = (await Promise.allSettled(holders)).flatMap(({ value }) => value ?? []);
    const [bridge, client, a, b] = await Promise.all(holders);
    this.client = new Host('client', '10.77.0.3', client, bridge);
    this.a = new Host('a', '10.77.0.1', a, bridge);
    this.b = new Host('b', '10.77.0.2', b, bridge);

    await bridge.ip('link set lo up', 'link add bridge type bridge', 'link set bridge up');
    for (const host of [this.client, this.a, this.b]) await host.connect(bridge);
    for (const host of [this.a, this.b]) await host.prepare(SERVICE, FIRST_PIDS[host.name]);
    await this.a.ip(`addr add ${SERVICE}/32 dev eth0`);
  }

  /** Moves the service address, and tells everybody. */
  async moveService(from, to) {
    await this.takeService(from);
    await this.giveService(to);
  }

  async takeService(from) {
    await from.ip(`addr del ${SERVICE}/32 dev eth0`);
  }

  async giveService(to) {
    await to.ip(`addr add ${SERVICE}/32 dev eth0`, announcement(to));
  }

  async close() {
    await Promise.all(this.#holders.map((holder) => holder.close()));
    if (this.directory) await rm(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

class Host {
  #holder;
  #switch;

  constructor(name, address, holder, bridge) {
    this.name = name;
    this.address = address;
    this.#holder = holder;
    this.#switch = bridge;
  }

  /** The pid, outside, of a process that is in all of the host's namespaces. */
  get init() {
    return this.#holder.init;
  }

  /** Joins it to the others. */
  async connect(bridge) {
    const { name, address, init } = this;
    await bridge.ip(
      `link add name ${name} type veth peer name eth0 netns ${init}`,
      `link set dev ${name} master bridge up`,
    );
    await this.ip('link set lo up', `addr add ${address}/24 dev eth0`, 'link set eth0 up');
    const links = JSON.parse(await this.run('ip', ['-json', 'link', 'show', 'dev', 'eth0']));
    this.linkAddress = links[0].address;
  }

  /**
   * Gives it the service address on its loopback device: with that a socket can be bound to it
   * before the address has moved. Others are told only of addresses on eth0.
   */
  async prepare(service, firstPid) {
    await this.ip(`addr add ${service}/32 dev lo`);
    const settings = { arp_ignore: 1, arp_announce: 2, arp_notify: 1 };
    const writes = Object.entries(settings).map(
      ([name, value]) => `echo ${value} > /proc/sys/net/ipv4/conf/eth0/${name}`,
    );
    writes.push(`echo ${firstPid} > /proc/sys/kernel/ns_last_pid`);
    await this.run('sh', ['-ec', writes.join('\n')]);
  }

  /** The command that becomes one inside of the host. */
  inside(file, args = []) {
    return [...this.#holder.entering, file, ...args];
  }

  spawn(file, args, options) {
    const [nsenter, ...rest] = this.inside(file, args);
    return spawn(nsenter, rest, options);
  }

  async run(file, args, options) {
    return await output(this.spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  async ip(...commands) {
    await this.#holder.ip(...commands);
  }

  /** The pid outside of a process that has one inside. */
  async outside(pid) {
    const namespace = await pidNamespace(this.init);
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
      if (Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1]) !== pid) continue;
      if ((await pidNamespace(name)) === namespace) return Number(name);
    }
    return undefined;
  }

  /** Kills a process by its pid inside. */
  async kill(pid, signal = 'SIGKILL') {
    const outside = await this.outside(pid);
    if (outside === undefined) throw new Error(`host ${this.name} has no process ${pid}`);
    process.kill(outside, signal);
  }

  /** Loses all packets from and to it, and its link stays up. */
  async stall() {
    await this.#switch.bridge(`link set dev ${this.name} state 0`);
  }

  async unstall() {
    await this.#switch.bridge(`link set dev ${this.name} state 3`);
  }

  /** Resets its connections with another host's own address, on both ends. */
  async cut(peer) {
    await this.run('ss', ['--no-header', '--kill', '--tcp', 'dst', peer.address]);
  }

  /** Ends it at once and with all that runs in it, as a loss of power: nobody is told. */
  async crash() {
    await this.stall();
    await this.#holder.close();
  }
}

/** A process that keeps namespaces, and ends with this one. */
class Holder {
  static async start(flags) {
    const own = flags.includes('--pid');
    const args = ['--net', ...flags, ...(own ? ['--fork'] : [])];
    const script = own ? INIT_OF_HOST : INIT;
    const holder = new Holder();
    holder.child = spawn('unshare', [...args, 'sh', '-ec', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    holder.ended = once(holder.child, 'exit');
    const ready = await Promise.race([once(holder.child.stdout, 'data'), holder.ended]);
    if (String(ready[0]) !== 'ready\n') throw new Error(`no namespaces: unshare ${args.join(' ')}`);
    const { pid } = holder.child;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    holder.init = own ? Number(children) : pid;
    const kinds = own ? ['--mount', '--net', '--pid'] : ['--net'];
    holder.entering = ['nsenter', `--target=${holder.init}`, ...kinds];
    return holder;
  }

  async ip(...commands) {
    await this.#batch('ip', commands);
  }

  async bridge(...commands) {
    await this.#batch('bridge', commands);
  }

  async #batch(tool, commands) {
    const [nsenter, ...args] = [...this.entering, tool, '-batch', '-'];
    const child = spawn(nsenter, args, { stdio: 'pipe' });
    child.stdin.on('error', () => {}).end(`${commands.join('\n')}\n`);
    await output(child);
  }

  async close() {
    this.child.stdin.destroy();
    this.child.kill('SIGKILL');
    await this.ended;
    // The kernel ends what is in a pid namespace once its first process dies, which takes a moment.
    while (existsSync(`/proc/${this.init}`)) await sleep(1);
  }
}

/** An address that is set again, even to what it is, goes out with arp_notify. */
function announcement({ linkAddress }) {
  return `link set dev eth0 address ${linkAddress}`;
}

async function output(child) {
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await once(child, 'exit');
  const [stdout, stderr] = await said;
  if (code === 0) return stdout;
  throw new Error(`${child.spawnargs.join(' ')}: ${signal ?? `status ${code}`}\n${stderr}`);
}

async function pidNamespace(pid) {
  return await readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
}
