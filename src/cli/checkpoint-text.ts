import type { CheckpointDescription } from '../images.ts';
import {
  fileLines,
  mappingLines,
  memoryLines,
  pipeLines,
  processLines,
  socketLines,
} from './checkpoint-sections.ts';
import { processTree } from './process-tree-text.ts';
import { formatBytes, formatDuration, formatTime } from './quantities.ts';
import { counted, fitted, printable, section, table } from './text-layout.ts';

/** The parts of the text, by the flags that select them. */
export interface CheckpointSections {
  readonly metadata?: boolean;
  readonly psTree?: boolean;
  readonly psTreeCmd?: boolean;
  readonly psTreeEnv?: boolean;
  readonly files?: boolean;
  readonly sockets?: boolean;
  readonly mappings?: boolean;
  readonly mounts?: boolean;
  readonly stats?: boolean;
  readonly all?: boolean;
}

/** A checkpoint as text for a person: the parts that are selected, or an overview. */
export function checkpointText(
  checkpoint: CheckpointDescription,
  selected: CheckpointSections,
  columns: number | undefined,
): string {
  const { all = false } = selected;
  const isOverview = !Object.values(selected).some(Boolean);
  const { processes } = checkpoint;
  const wants = (part: keyof CheckpointSections, inOverview = false) =>
    selected[part] === true || all || (isOverview && inOverview);
  const commands = wants('psTreeCmd', true);
  const environments = wants('psTreeEnv');
  const parts = [
    ...(wants('metadata', true) ? metadata(checkpoint) : []),
    ...(wants('psTree') || commands || environments
      ? section('Processes', processTree(processes, { commands, environments }))
      : []),
    ...(all ? section('Properties', processLines(checkpoint)) : []),
    ...(wants('sockets', true) ? section('Sockets', socketLines(checkpoint)) : []),
    ...(wants('files', true) ? section('Files', fileLines(checkpoint)) : []),
    ...(wants('files', true) ? section('Pipes', pipeLines(checkpoint)) : []),
    ...(all || isOverview ? section('Memory', memoryLines(checkpoint)) : []),
    ...(wants('mappings') ? section('Mappings', mappingLines(checkpoint)) : []),
    ...(wants('mounts', true) ? section('Mounts', mounts(checkpoint)) : []),
    ...(all || isOverview ? section('Namespaces', namespaces(checkpoint)) : []),
    ...(all ? section('Control groups', cgroups(checkpoint)) : []),
    ...(all || isOverview ? section('A restore needs', needs(checkpoint, all)) : []),
    ...(wants('stats', true) ? section('Statistics', stats(checkpoint)) : []),
  ];
  return fitted(parts, columns).join('\n').trimEnd();
}

function metadata(checkpoint: CheckpointDescription): string[] {
  const { directory, kind, writtenAt, architecture, size, fileCount, parents } = checkpoint;
  const { criu, host } = checkpoint;
  const { processes } = checkpoint;
  const rows = [
    ['directory', printable(directory)],
    ['kind', kind === 'dump' ? 'dump' : 'pre-dump: memory of a round before a dump'],
    ['written', printable(formatTime(writtenAt))],
    ...(criu === undefined ? [] : [['CRIU', printable(criu)]]),
    ...(host === undefined ? [] : [['host', printable(`${host.name}, Linux ${host.kernel}`)]]),
    ...(architecture === undefined ? [] : [['architecture', architecture]]),
    ...(kind === 'dump' ? [['processes', String(processes.length)]] : []),
    ['size', `${formatBytes(size)} in ${counted(fileCount, 'file')}`],
    ...parents.map((round, index) => [
      index === 0 ? 'rounds before' : '',
      `${printable(round.directory)}, ${formatBytes(round.bytesStored)}, ${formatTime(round.writtenAt)}`,
    ]),
  ];
  return section('Checkpoint', table(rows));
}

function mounts({ mounts: all }: CheckpointDescription): string[] {
  return table(
    all.map(({ mountpoint, type, source, external }) => [
      printable(type),
      printable(mountpoint),
      printable(external ?? source),
    ]),
  );
}

/** Those that a restore makes, or is given. */
function namespaces({ namespaces: all }: CheckpointDescription): string[] {
  return table(
    all
      .filter(({ isOwn }) => isOwn)
      .map(({ kind, pids, external, hostname, devices = [] }) => [
        kind,
        counted(pids.length, 'process', 'processes'),
        printable(external ?? hostname ?? devices.join(' ')),
      ]),
  );
}

function cgroups({ cgroups: all }: CheckpointDescription): string[] {
  return all.flatMap(({ pids, groups }) => [
    `processes ${pids.join(' ')}`,
    ...table(groups.map(({ controller, path }) => [`  ${printable(controller)}`, printable(path)])),
  ]);
}

function needs({ needs: all }: CheckpointDescription, isComplete: boolean): string[] {
  const { criu, architecture, processor, lsm, plugins, options, external, addresses } = all;
  const rows = [
    ...(criu === undefined ? [] : [['CRIU', `${criu} or newer`]]),
    ...(architecture === undefined ? [] : [['architecture', architecture]]),
    ...(processor === undefined ? [] : [['processor', `like ${printable(processor)}`]]),
    ...(lsm === undefined ? [] : [['security', lsm]]),
    ...plugins.map((plugin) => ['plugin', printable(plugin)]),
    ...options.map(({ option, reason, isRemembered }) => [
      flagOf(option),
      `${reason}${isRemembered ? ' (the manifest says so)' : ''}`,
    ]),
    ...external.map(({ kind, key }) => [`external ${kind}`, printable(key)]),
    ...addresses.map(({ protocol, address, port, isListening }) => [
      `${protocol} address`,
      `${address.includes(':') ? `[${address}]` : address}:${port}${isListening ? ', listens' : ''}`,
    ]),
    ...(all.pids.length > 0 ? [['free pids', pidRanges(all.pids)]] : []),
    ...(all.bytesLazy > 0
      ? [['lazy pages', `${formatBytes(all.bytesLazy)} from the host of the dump`]]
      : []),
    ...(isComplete
      ? all.files.map(({ path, size, buildId }) => {
          const known = size === undefined ? '' : `, ${size} bytes`;
          return ['file', `${printable(path)}${known}${buildId ? `, build id ${buildId}` : ''}`];
        })
      : [['files', `${all.files.length} with the same size and build id (--all lists them)`]]),
  ];
  return all.architecture === undefined ? [] : table(rows);
}

/** The flag of an option of the library. */
function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `71 73-80` */
function pidRanges(pids: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const pid of pids) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === pid) last[1] = pid;
    else ranges.push([pid, pid]);
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(' ');
}

function stats({ stats: all }: CheckpointDescription): string[] {
  if (!all) return [];
  return table([
    ['stopping the processes', formatDuration(all.freezingTimeMs)],
    ['frozen', formatDuration(all.frozenTimeMs)],
    ['collecting memory', formatDuration(all.memdumpTimeMs)],
    ['writing memory', formatDuration(all.memwriteTimeMs)],
    ['pages examined', String(all.pagesScanned)],
    ['pages in parents', String(all.pagesSkippedParent)],
    ['pages written', String(all.pagesWritten)],
    ...(all.pagesLazy > 0 ? [['pages left', String(all.pagesLazy)]] : []),
    ['memory written', formatBytes(all.bytesWritten)],
  ]);
}
