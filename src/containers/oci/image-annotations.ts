import { readFile, statfs } from 'node:fs/promises';
import { release } from 'node:os';
import type { CheckpointArchive } from '../archive/archive-description.ts';

const CGROUP2 = 0x63677270;
/** The names of architectures in OCI images, where they differ from Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
};

/** The architecture of this host, in the words of OCI images. */
export function architecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}

/**
 * The annotations by which podman, CRI-O and others recognise an image of a checkpoint. Of the host they describe this
 * one. A fact that is not known is `unknown` for podman, which requires all of them, and left out for others.
 */
export async function checkpointAnnotations(
  archive: CheckpointArchive,
): Promise<Record<string, string>> {
  const { container, image, runtime, criuVersion } = archive;
  const rawImageName = textOf(archive.config?.rawImageName) ?? image.name;
  const release_ = await osRelease();
  const host = {
    'host.arch': architecture(),
    'host.kernel': release(),
    'distribution.name': release_.ID,
    'distribution.version': release_.VERSION_ID,
  };
  const common = {
    ...{ rawImageName, rootfsImageID: image.id, rootfsImageName: image.name },
    ...{ 'runtime.name': runtime, 'runtime.version': undefined, 'criu.version': criuVersion },
    ...{ 'conmon.version': undefined, ...host },
  };
  const cgroups = await cgroupVersion();
  const engine = archive.kind === 'unknown' ? undefined : archive.kind;
  return {
    ...prefixed(
      'io.podman.annotations.checkpoint.',
      {
        ...{ name: container.name, ...common },
        ...{ 'podman.version': undefined, 'cgroups.version': cgroups },
      },
      'unknown',
    ),
    ...prefixed('io.kubernetes.cri-o.annotations.checkpoint.', { name: container.name }),
    ...prefixed('org.criu.checkpoint.', {
      ...{ 'engine.name': engine, 'container.name': container.name },
      ...{ 'pod.name': container.pod, 'pod.namespace': container.namespace, ...common },
      'cgroup.version': cgroups,
    }),
  };
}

function prefixed(
  prefix: string,
  values: Readonly<Record<string, string | undefined>>,
  absent?: string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value = absent]) =>
      value === undefined ? [] : [[`${prefix}${name}`, value]],
    ),
  );
}

async function cgroupVersion(): Promise<string | undefined> {
  const type = await statfs('/sys/fs/cgroup').then(
    (found) => found.type,
    () => undefined,
  );
  return type === undefined ? undefined : type === CGROUP2 ? 'v2' : 'v1';
}

/** The facts in /etc/os-release, without quotes. */
async function osRelease(): Promise<Readonly<Record<string, string>>> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const lines = [...text.matchAll(/^(\w+)=(.*)$/gm)];
  return Object.fromEntries(
    lines.map(([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/, '$2')]),
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
