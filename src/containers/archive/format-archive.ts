import type { CheckpointArchive } from './archive-description.ts';

const ENGINES = {
  podman: 'Podman',
  'cri-o': 'CRI-O',
  containerd: 'containerd',
  unknown: undefined,
};

/**
 * The text about an archive that `node-criu container inspect` prints: a line for each fact that is known.
 * @param archive what {@link inspectCheckpointArchive} returns
 */
export function formatCheckpointArchive(archive: CheckpointArchive): string {
  const { container, image, stats } = archive;
  const { name, pod, namespace } = container;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Container', name],
    ['ID', container.id],
    ['Pod', pod && (namespace === undefined ? pod : `${namespace}/${pod}`)],
    ['Engine', ENGINES[archive.kind]],
    ['Image', image.name],
    ['Image ID', image.id],
    ['Command', commandOf(archive.spec)],
    ['Runtime', archive.runtime],
    ['Created', archive.createdAt],
    ['Checkpointed', archive.checkpointedAt],
    ['CRIU', archive.criuVersion],
    ['Frozen', stats && `${stats.frozenTimeMs} ms`],
    ...archive.networks.map((one) => ['Network', networkText(one)] as const),
    ['Images', `${sizeText(archive.imagesBytes)}, ${sizeText(archive.pagesBytes)} of it memory`],
    ['Root changes', archive.rootfsDiffBytes?.toString() && sizeText(archive.rootfsDiffBytes ?? 0)],
    [
      'Removed files',
      archive.deletedFiles.length > 0 ? `${archive.deletedFiles.length}` : undefined,
    ],
    ['Compression', archive.compression],
    ['Not known', archive.ignored.length > 0 ? archive.ignored.join(', ') : undefined],
  ];
  const lines = facts.flatMap(([label, value]) =>
    value === undefined ? [] : [`${`${label}:`.padEnd(15)}${oneLine(value)}`],
  );
  return `${lines.join('\n')}\n`;
}

function networkText({
  network,
  interface: name,
  addresses,
  mac,
}: CheckpointArchive['networks'][0]) {
  return [network, name, ...addresses, mac].filter(Boolean).join(' ');
}

function commandOf(spec: CheckpointArchive['spec']): string | undefined {
  const args = (spec?.process as { args?: unknown } | undefined)?.args;
  return Array.isArray(args) ? args.join(' ') : undefined;
}

function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** What comes from an archive cannot control the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 500);
}
