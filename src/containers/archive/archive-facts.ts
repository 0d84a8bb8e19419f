import { stats_entry } from '../../generated/images/stats.ts';
import { type DumpStats, dumpStatsOf } from '../../images/dump-stats.ts';
import { headerOf } from '../../images/image-kinds.ts';
import { MANIFEST } from '../../images/image-names.ts';
import { native } from '../../native/index.ts';
import { decode } from '../../protobuf/decode.ts';
import { BadStream } from '../../stream/byte-input.ts';
import type {
  ArchivedContainer,
  ArchivedImage,
  ArchivedMember,
  ArchivedNetwork,
  CheckpointArchive,
  CheckpointArchiveKind,
} from './archive-description.ts';
import { DELETED_FILES, IMAGES, ROOTFS_DIFF } from './archive-members.ts';
import type { ArchiveCompression } from './compression.ts';

type Json = Readonly<Record<string, unknown>>;

/** The members that are kept in memory, and the most bytes that each may have. */
const KEPT: ReadonlyMap<string, number> = new Map([
  ...['config.dump', 'spec.dump', 'network.status', DELETED_FILES].map(
    (name) => [name, 64 << 20] as const,
  ),
  ...['stats-dump', `${IMAGES}/stats-dump`].map((name) => [name, 1 << 16] as const),
  [`${IMAGES}/${MANIFEST}`, 64 << 20],
]);
/** How much of a log is kept: its beginning has the version of CRIU. */
const LOG = 1 << 14;
const LOGS = ['dump.log', `${IMAGES}/dump.log`];

/** Collects what the members of an archive say of it. */
export class ArchiveFacts {
  readonly members: ArchivedMember[] = [];
  readonly ignored: string[] = [];
  readonly #kept = new Map<string, Buffer>();
  compression: ArchiveCompression | undefined;
  annotations: Readonly<Record<string, string>> = {};

  /** How many bytes of a member {@link keep} is to be given; 0 for most. @throws BadStream if it is too large */
  wanted(name: string, bytes: number): number {
    if (LOGS.includes(name)) return Math.min(bytes, LOG);
    const most = KEPT.get(name);
    if (most === undefined) return 0;
    if (bytes > most) throw new BadStream(`${name} is too large`, 0);
    return bytes;
  }

  keep(name: string, content: Buffer): void {
    this.#kept.set(name, content);
  }

  /** @throws BadStream if a member is damaged, or there is no checkpoint */
  describe(): CheckpointArchive {
    const spec = this.#json('spec.dump');
    const config = this.#json('config.dump');
    if (!spec && !config && !this.members.some(({ name }) => name.startsWith(`${IMAGES}/`))) {
      throw new BadStream('it is no checkpoint of a container', 0);
    }
    const labels = stringsOf(spec?.annotations);
    const manifest = this.#json(`${IMAGES}/${MANIFEST}`);
    const images = this.members.filter(({ name }) => name.startsWith(`${IMAGES}/`));
    return {
      kind: kindOf(labels, config),
      compression: this.compression,
      container: containerOf(config, labels),
      image: imageOf(config, labels),
      runtime: textOf(config, 'runtime'),
      createdAt: timeOf(config, 'createdTime') ?? labels['io.kubernetes.cri-o.Created'],
      checkpointedAt: timeOf(config, 'checkpointedTime') ?? textOf(manifest, 'createdAt'),
      criuVersion: this.#logged() ?? textOf(manifest, 'criu'),
      stats: this.#stats(),
      networks: this.#networks(labels),
      ...{ spec, config, annotations: this.annotations, deletedFiles: this.#deletedFiles() },
      bytes: sum(this.members),
      imagesBytes: sum(images),
      pagesBytes: sum(images.filter(({ name }) => /\/(amdgpu-)?pages-[^/]*\.img$/.test(name))),
      rootfsDiffBytes: this.members.find(({ name }) => name === ROOTFS_DIFF)?.bytes,
      ...{ members: this.members, ignored: this.ignored },
    };
  }

  #json(name: string): Json | undefined {
    const value = this.#parsed(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw new BadStream(`${name} is not a JSON object`, 0);
    }
    return value as Json;
  }

  #parsed(name: string): unknown {
    const content = this.#kept.get(name);
    if (content === undefined) return undefined;
    try {
      return JSON.parse(content.toString());
    } catch (error) {
      throw new BadStream(`${name} is not JSON: ${(error as Error).message}`, 0);
    }
  }

  #deletedFiles(): string[] {
    const paths = this.#parsed(DELETED_FILES) ?? [];
    if (Array.isArray(paths) && paths.every((path) => typeof path === 'string')) return paths;
    throw new BadStream(`${DELETED_FILES} is not a list of paths`, 0);
  }

  #logged(): string | undefined {
    const log = LOGS.map((name) => this.#kept.get(name)).find((text) => text !== undefined);
    return /Version: (\S+)/.exec(log?.toString('latin1') ?? '')?.[1];
  }

  /** Those of a damaged file are left out: nothing depends on them. */
  #stats(): DumpStats | undefined {
    const bytes = this.#kept.get('stats-dump') ?? this.#kept.get(`${IMAGES}/stats-dump`);
    if (bytes === undefined || bytes.length < 12) return undefined;
    if (headerOf('STATS').some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) {
      return undefined;
    }
    try {
      const { dump } = decode(stats_entry, bytes.subarray(12, 12 + bytes.readUInt32LE(8)));
      return dump && dumpStatsOf(dump, native().pageSize);
    } catch {
      return undefined;
    }
  }

  #networks(labels: Readonly<Record<string, string>>): ArchivedNetwork[] {
    const address = labels['io.kubernetes.cri-o.IP.0'];
    if (address !== undefined) {
      return [{ network: '', interface: '', addresses: [address], mac: undefined }];
    }
    return Object.entries(this.#json('network.status') ?? {}).flatMap(([network, status]) =>
      Object.entries(jsonOf(jsonOf(status)?.interfaces) ?? {}).map(([name, one]) => {
        const subnets = jsonOf(one)?.subnets;
        const addresses = (Array.isArray(subnets) ? subnets : []).flatMap(
          (subnet) => textOf(jsonOf(subnet), 'ipnet') ?? [],
        );
        return { network, interface: name, addresses, mac: textOf(jsonOf(one), 'mac_address') };
      }),
    );
  }
}

function kindOf(
  labels: Readonly<Record<string, string>>,
  config: Json | undefined,
): CheckpointArchiveKind {
  const manager = labels['io.container.manager'] ?? textOf(config, 'manager');
  if (manager === 'libpod') return 'podman';
  if (manager === 'cri-o') return 'cri-o';
  const isContainerd = Object.keys(labels).some((name) => name.startsWith('io.kubernetes.cri.'));
  return isContainerd || manager === 'containerd' ? 'containerd' : 'unknown';
}

function containerOf(
  config: Json | undefined,
  labels: Readonly<Record<string, string>>,
): ArchivedContainer {
  const pod = labels['io.kubernetes.pod.name'] ?? labels['io.kubernetes.cri.sandbox-name'];
  const namespace =
    labels['io.kubernetes.pod.namespace'] ?? labels['io.kubernetes.cri.sandbox-namespace'];
  const name =
    labels['io.kubernetes.container.name'] ??
    labels['io.kubernetes.cri.container-name'] ??
    textOf(config, 'name');
  return { id: textOf(config, 'id'), name, pod, namespace };
}

function imageOf(
  config: Json | undefined,
  labels: Readonly<Record<string, string>>,
): ArchivedImage {
  const name =
    textOf(config, 'rootfsImageName') ??
    textOf(config, 'rootfsImage') ??
    labels['io.kubernetes.cri-o.ImageName'];
  return { name, id: textOf(config, 'rootfsImageID') ?? textOf(config, 'rootfsImageRef') };
}

function sum(members: readonly ArchivedMember[]): number {
  return members.reduce((total, { bytes }) => total + bytes, 0);
}

function jsonOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null ? (value as Json) : undefined;
}

function textOf(object: Json | undefined, key: string): string | undefined {
  const value = object?.[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Go writes a time that is not set as that of year 1. */
function timeOf(object: Json | undefined, key: string): string | undefined {
  const time = textOf(object, key);
  return time?.startsWith('0001-') ? undefined : time;
}

/** The properties of an object that are strings. */
function stringsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(jsonOf(value) ?? {});
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
