import type {
  Change,
  Changes,
  CheckpointDifference,
  MemoryDifference,
  PageCounts,
  ProcessFile,
  ProcessMapping,
  ProcessProperties,
  RangeDifference,
} from '../images.ts';
import { formatBytes } from './quantities.ts';
import { asWord } from './shell-command.ts';
import { counted, fitted, printable, section, table } from './text-layout.ts';

/** The most characters of a value. */
const MAX_VALUE = 80;

/** The parts of the text, by the flags that select them. */
export interface DifferenceSections {
  readonly psTree?: boolean;
  readonly files?: boolean;
  readonly sockets?: boolean;
  readonly mappings?: boolean;
  readonly pages?: boolean;
}

/** What differs, as text for a person: the parts that are selected, or all. */
export function differenceText(
  difference: CheckpointDifference,
  selected: DifferenceSections,
  columns: number | undefined,
): string {
  const isAll = !Object.values(selected).some(Boolean);
  const wants = (part: keyof DifferenceSections) => isAll || selected[part] === true;
  const { processes, files, sockets, mappings, memory } = difference;
  const parts = [
    ...(wants('psTree') ? section('Processes', lines(processes, processText)) : []),
    ...(wants('files') ? section('Files', lines(files, fileText)) : []),
    ...(wants('sockets') ? section('Sockets', lines(sockets, fileText)) : []),
    ...(wants('mappings') ? section('Mappings', lines(mappings, mappingText)) : []),
    ...(wants('pages') && memory ? section('Pages', pageLines(memory)) : []),
  ];
  return parts.length === 0 ? 'no differences' : fitted(parts, columns).join('\n').trimEnd();
}

/** `+` was added, `-` removed, and `~` changed. */
function lines<T>({ added, removed, changed }: Changes<T>, textOf: (one: T) => string): string[] {
  return [
    ...removed.map((one) => `- ${textOf(one)}`),
    ...added.map((one) => `+ ${textOf(one)}`),
    ...changed.map((change) => `~ ${textOf(change.after)}: ${changeText(change)}`),
  ];
}

function changeText<T>({ before, after, properties }: Change<T>): string {
  const [one, other] = [before, after].map(propertiesOf);
  return properties
    .map((name) => `${name} ${valueText(one?.[name])} → ${valueText(other?.[name])}`)
    .join(', ');
}

/** The properties that were compared: those of a file or a mapping, or its own. */
function propertiesOf(one: unknown): Record<string, unknown> {
  const { file, mapping } = one as { file?: object; mapping?: object };
  return (file ?? mapping ?? one) as Record<string, unknown>;
}

function valueText(value: unknown): string {
  if (value === undefined) return 'none';
  const text = printable(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

function processText({ pid, name, args = [] }: ProcessProperties): string {
  const command = args.length > 0 ? args.map(asWord).join(' ') : name;
  return `${pid} ${printable(command)}`;
}

function fileText({ pid, fd, file }: ProcessFile): string {
  return `${pid}:${fd} ${printable(file.text)}`;
}

function mappingText({ pid, mapping }: ProcessMapping): string {
  return `${pid} ${rangeText(mapping)} (${formatBytes(mapping.size)})`;
}

function rangeText({ start, end, protection, path, kind }: ProcessMapping['mapping']): string {
  return `${start.slice(2)}-${end.slice(2)} ${protection} ${printable(path ?? `[${kind}]`)}`;
}

function pageLines({ ranges, pageSize, ...total }: MemoryDifference): string[] {
  if (ranges.length === 0) return [];
  const different = total.pagesChanged + total.pagesAdded + total.pagesRemoved;
  const titles = ['', 'changed', 'added', 'removed', 'equal', ''];
  const rows = ranges.map((range) => [ownerText(range), ...cells(range), placeText(range)]);
  return [
    ...table([titles, ...rows, ['all', ...cells(total), '']], [1, 2, 3, 4]),
    `${counted(different, 'page')} of ${pageSize} bytes differ: ${formatBytes(different * pageSize)}`,
  ];
}

function ownerText({ pid, shared }: RangeDifference): string {
  return pid === undefined ? `shared memory ${shared}` : String(pid);
}

function placeText({ mapping, pid }: RangeDifference): string {
  if (mapping) return rangeText(mapping);
  return pid === undefined ? '' : 'outside of mappings';
}

function cells({ pagesChanged, pagesAdded, pagesRemoved, pagesEqual }: PageCounts): string[] {
  return [pagesChanged, pagesAdded, pagesRemoved, pagesEqual].map((count) =>
    count === 0 ? '-' : String(count),
  );
}
