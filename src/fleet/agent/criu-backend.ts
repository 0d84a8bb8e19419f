import { statfs } from 'node:fs/promises';
import { arch, cpus, freemem, loadavg, release, totalmem } from 'node:os';
import {
  type Criu,
  type DumpOptions,
  type MigrateOptions,
  RateLimit,
  spawnCheckpointable,
} from '../../index.ts';
import { endTrees } from '../../process/kill-tree.ts';
import { textOf } from '../../procfs/read.ts';
import { startTimeOf } from '../../procfs/stat.ts';
import { readAvailableMemory, readBootIdSync } from '../../procfs/system.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import { readTreeMemory } from '../../procfs/tree-memory.ts';
import { fleetFailure } from '../failure.ts';
import type { HostFacts } from '../view.ts';
import type { CopyWorkload, ProgramWorkload, WorkloadSpec } from '../workload-spec.ts';
import { arrivingKinds } from './arriving-kinds.ts';
import type {
  ArrivalServer,
  Arrivals,
  HostBackend,
  MoveRequest,
  OutgoingMove,
  StartedWorkload,
  WorkloadRoot,
} from './backend.ts';
import type { HostContainers } from './host-containers.ts';
import type { ServeOptions } from './member-options.ts';
import { releaseAddresses, withAddresses } from './workload-addresses.ts';

/** Of the file with the processors' flags, in bytes. */
const MAX_CPUINFO = 65_536;
/** How long it is not asked again what CRIU and the kernel can do, in milliseconds: each time costs a criu. */
const ABILITIES_MS = 600_000;
/** The mode of a move whose workload may run before it has its memory. */
const POST_COPY = { mode: 'post-copy' } as const;
/** The reasons for which the rounds end without the downtime that was asked for. */
const NOT_CONVERGING: readonly string[] = ['rounds', 'bytes', 'no-gain'];

/** The processes of this host. */
export class CriuBackend implements HostBackend {
  readonly #criu: Criu;
  readonly #options: ServeOptions;
  readonly #containers: HostContainers;
  /** What all moves from this host send together. */
  readonly #sending: RateLimit | undefined;
  #cpu: string | undefined;
  #abilities: Pick<HostFacts, 'criu' | 'memTrack' | 'lazyPages'> | undefined;
  #askedAt = 0;

  constructor(criu: Criu, options: ServeOptions, containers: HostContainers) {
    this.#criu = criu;
    this.#options = options;
    this.#containers = containers;
    const { bandwidth } = options;
    this.#sending = bandwidth === undefined ? undefined : new RateLimit(bandwidth);
  }

  async facts(): Promise<HostFacts> {
    const [abilities, disk, free] = await Promise.all([
      this.#askAbilities(),
      statfs(this.#options.directory),
      readAvailableMemory(),
    ]);
    this.#cpu ??= await readCpu();
    return {
      ...abilities,
      kernel: release(),
      architecture: arch(),
      cpu: this.#cpu,
      memoryBytes: totalmem(),
      freeMemoryBytes: free ?? freemem(),
      freeDiskBytes: disk.bavail * disk.bsize,
      load: loadavg()[0] ?? 0,
      processors: cpus().length,
    };
  }

  /** What CRIU and the kernel can do, which changes only if another CRIU is installed. */
  async #askAbilities(): Promise<Pick<HostFacts, 'criu' | 'memTrack' | 'lazyPages'>> {
    if (this.#abilities && performance.now() - this.#askedAt < ABILITIES_MS) return this.#abilities;
    const [{ number: criu }, { memTrack, lazyPages }] = await Promise.all([
      this.#criu.version(),
      this.#criu.features(),
    ]);
    this.#askedAt = performance.now();
    this.#abilities = { criu, memTrack, lazyPages };
    return this.#abilities;
  }

  async serve(arrivals: Arrivals, maxMigrations: number): Promise<ArrivalServer> {
    const { listen, tls, insecure, directory, allowAddresses, bandwidth, restore } = this.#options;
    return await this.#criu.serveMigrations({
      ...{ listen, directory, maxMigrations },
      ...(tls && { tls }),
      ...(insecure && { insecure }),
      ...(allowAddresses && { allowAddresses }),
      ...(bandwidth !== undefined && { maxBandwidth: bandwidth }),
      authorize: async ({ id, metadata }, { name }) => {
        await arrivals.authorize(id, metadata, name);
        return true;
      },
      ...arrivingKinds({
        ...{ containers: this.#containers, directory, restore: restore ?? {} },
        hooks: {
          afterRestore: ({ id, offer, pid }) => arrivals.restored(id, offer.metadata, pid),
          afterMigration: ({ id, state }) => arrivals.ended(id, state === 'complete'),
        },
      }),
    });
  }

  async start(spec: WorkloadSpec): Promise<StartedWorkload> {
    if ('command' in spec || 'template' in spec) return await this.#startNew(spec);
    if ('container' in spec) {
      const { pid, id, root } = await this.#containers.open(spec);
      const known = { ...spec, container: id, root };
      return { kind: 'container', spec: known, ...requireRoot(spec.name, this.rootOf(pid)) };
    }
    return { kind: 'process', spec, ...requireRoot(spec.name, this.rootOf(spec.pid)) };
  }

  async #startNew(spec: ProgramWorkload | CopyWorkload): Promise<StartedWorkload> {
    return await withAddresses<StartedWorkload>({
      ...{ operation: 'run', spec, allowed: this.#options.allowAddresses },
      start: async () =>
        'command' in spec
          ? { kind: 'process', spec, ...(await this.#spawn(spec)) }
          : { kind: 'copy', spec, ...(await this.#copy(spec)) },
      end: ({ pid }) => endTrees([pid]),
    });
  }

  /** The copy runs on when the agent ends, so that it gets all of its memory first. */
  async #copy({ name, template }: CopyWorkload): Promise<WorkloadRoot> {
    const opened = await this.#criu.openTemplate(template);
    const { pid } = await opened.start({ name, lazyPages: false });
    return requireRoot(name, this.rootOf(pid));
  }

  async end({ addresses }: WorkloadSpec): Promise<void> {
    await releaseAddresses(addresses);
  }

  async #spawn(spec: ProgramWorkload): Promise<WorkloadRoot> {
    const { command, cwd = '/', env, output, uid, gid } = spec;
    const { pidNamespace = !uid } = spec;
    const [file = '', ...args] = command;
    const program = await spawnCheckpointable(file, args, {
      ...{ cwd, pidNamespace },
      ...(env && { env }),
      ...(output !== undefined && { stdout: output, stderr: output }),
      ...(uid !== undefined && gid !== undefined && { uid, gid }),
    });
    return requireRoot(spec.name, this.rootOf(program.pid));
  }

  specHere(spec: WorkloadSpec): WorkloadSpec {
    return this.#containers.specHere(spec);
  }

  rootOf(pid: number): WorkloadRoot | undefined {
    const ticks = startTimeOf(pid);
    return ticks === undefined ? undefined : { pid, startTime: `${ticks} ${readBootIdSync()}` };
  }

  isRunning(root: WorkloadRoot): boolean {
    return this.rootOf(root.pid)?.startTime === root.startTime;
  }

  async memoryBytes({ pid }: WorkloadRoot): Promise<number> {
    return await readTreeMemory(descendantsOf(pid));
  }

  async migrate(request: MoveRequest): Promise<OutgoingMove> {
    const { root, spec, to, metadata, postCopy, notConverging, deadlineMs } = request;
    const { tls, insecure, directory } = this.#options;
    const { addresses, dump } = spec;
    const options: MigrateOptions = {
      to: { host: to.host, port: to.port, ...(tls && { name: to.name }) },
      ...(tls && { tls }),
      ...(insecure && { insecure }),
      ...{ directory, metadata, deadlineMs },
      dump: { tcpEstablished: true, ...(dump as Partial<DumpOptions>) },
      ...(addresses && addresses.length > 0 && { addresses }),
      ...(this.#sending && { rateLimit: this.#sending }),
      ...(postCopy ? POST_COPY : policyOf(notConverging)),
      hooks: { phase: (phase) => request.phase(phase) },
    };
    if ('container' in spec) return await (await this.#containers.open(spec)).migrate(options);
    return 'template' in spec
      ? await this.#criu.migrateCopy(root.pid, options)
      : this.#criu.migrate(root.pid, options);
  }

  async resolve(id: string, spec: WorkloadSpec) {
    const { tls, insecure, directory } = this.#options;
    const given = {
      ...{ directory, ...(tls && { tls }), ...(insecure && { insecure }) },
      ...('container' in spec && {
        switchBack: async () => (await this.#containers.open(spec)).reconnect(),
      }),
    };
    return await this.#criu.resolveMigration(id, given);
  }

  async unresolved() {
    const all = await this.#criu.listMigrations({ directory: this.#options.directory });
    return all.filter(({ role, status }) => role === 'source' && status === 'unresolved');
  }
}

/** Has the rounds of pre-copy report that they do not converge. */
function policyOf(notConverging: (() => void) | undefined): Pick<MigrateOptions, 'policy'> {
  if (!notConverging) return {};
  return {
    policy: {
      onRound: (_round, { action, reason }) => {
        if (action === 'finish' && NOT_CONVERGING.includes(reason)) notConverging();
      },
    },
  };
}

function requireRoot(name: string, root: WorkloadRoot | undefined): WorkloadRoot {
  if (root) return root;
  throw fleetFailure('run', `the root process of ${name} does not run on this host`);
}

/** The features that all processors of this host have. */
async function readCpu(): Promise<string> {
  const text = await textOf('/proc/cpuinfo', MAX_CPUINFO).catch(() => '');
  const [, flags = ''] = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text ?? '') ?? [];
  return flags.split(/\s+/).filter(Boolean).sort().join(' ');
}
