import type {
  Change,
  Changes,
  CheckpointDifference,
  MemoryDifference,
  ProcessFile,
  ProcessMapping,
  ProcessProperties,
  RangeDifference,
} from '../../images.ts';
import { clipped, type Html, html } from '../html.ts';
import { counted, formatBytes } from '../quantities.ts';

/** The most rows of each kind of difference, and the most characters of a value. */
const MAX_ROWS = 100;
const MAX_VALUE = 120;

/** What differs from another checkpoint. */
export function differenceSection(difference: CheckpointDifference): Html {
  const { before, after, processes, files, sockets, mappings, memory } = difference;
  const parts = [
    changesTable('Processes', processes, processText),
    changesTable('Sockets', sockets, fileText),
    changesTable('Files', files, fileText),
    changesTable('Mappings', mappings, mappingText),
    memory && memoryTable(memory),
  ].filter((part) => part !== undefined);
  return html`<p>From <code>${before}</code> to <code>${after}</code>.</p>
${parts.length > 0 ? parts : html`<p>There is no difference.</p>`}`;
}

function changesTable<T>(
  title: string,
  { added, removed, changed }: Changes<T>,
  textOf: (one: T) => string,
): Html | undefined {
  const all = [
    ...removed.map((one) => ({ sign: '−', name: 'removed', text: textOf(one) })),
    ...added.map((one) => ({ sign: '+', name: 'added', text: textOf(one) })),
    ...changed.map((change) => ({
      ...{ sign: '~', name: 'changed' },
      text: `${textOf(change.after)}: ${changeText(change)}`,
    })),
  ];
  if (all.length === 0) return undefined;
  const others = all.length - MAX_ROWS;
  return html`<h3>${title}</h3><p>${removed.length} removed, ${added.length} added, ${changed.length} changed</p>
<table><tbody>
${all.slice(0, MAX_ROWS).map(
  ({
    sign,
    name,
    text,
  }) => html`<tr class="${name}"><th scope="row" title="${name}">${sign}</th><td class="wide"><code>${clipped(text, 4 * MAX_VALUE)}</code></td></tr>
`,
)}</tbody></table>${others > 0 ? html`<p>and ${others} more</p>` : undefined}`;
}

function changeText<T>({ before, after, properties }: Change<T>): string {
  const [one, other] = [before, after].map(comparedOf);
  return properties
    .map((name) => `${name} ${valueText(one?.[name])} → ${valueText(other?.[name])}`)
    .join(', ');
}

/** The properties that were compared: those of a file or a mapping, or its own. */
function comparedOf(one: unknown): Record<string, unknown> {
  const { file, mapping } = one as { file?: object; mapping?: object };
  return (file ?? mapping ?? one) as Record<string, unknown>;
}

function valueText(value: unknown): string {
  if (value === undefined) return 'none';
  return clipped(typeof value === 'string' ? value : JSON.stringify(value), MAX_VALUE);
}

function processText({ pid, name, args = [] }: ProcessProperties): string {
  return `${pid} ${clipped(args.length > 0 ? args.join(' ') : name, MAX_VALUE)}`;
}

const fileText = ({ pid, fd, file }: ProcessFile) =>
  `${pid}:${fd} ${clipped(file.text, MAX_VALUE)}`;

const mappingText = ({ pid, mapping }: ProcessMapping) =>
  `${pid} ${rangeText(mapping)} (${formatBytes(mapping.size)})`;

function rangeText({ start, end, protection, path, kind }: ProcessMapping['mapping']): string {
  return `${start.slice(2)}-${end.slice(2)} ${protection} ${path ?? `[${kind}]`}`;
}

/** Where pages differ, the most of them first. */
function memoryTable({ ranges, pageSize, ...total }: MemoryDifference): Html | undefined {
  if (ranges.length === 0) return undefined;
  const sorted = [...ranges].sort((one, other) => differing(other) - differing(one));
  const others = sorted.length - MAX_ROWS;
  return html`<h3>Memory</h3>
<p>${counted(differing(total), 'page')} of ${pageSize} bytes differ: ${formatBytes(differing(total) * pageSize)}</p>
<table><thead><tr><th>Where</th><th class="n">Changed</th><th class="n">Added</th><th class="n">Removed</th><th class="n">Equal</th></tr></thead><tbody>
${sorted.slice(0, MAX_ROWS).map(memoryRow)}</tbody></table>${others > 0 ? html`<p>and ${counted(others, 'more mapping')}</p>` : undefined}`;
}

type Counts = Pick<RangeDifference, 'pagesChanged' | 'pagesAdded' | 'pagesRemoved'>;
const differing = ({ pagesChanged, pagesAdded, pagesRemoved }: Counts) =>
  pagesChanged + pagesAdded + pagesRemoved;

function memoryRow(range: RangeDifference): Html {
  const { pid, shared, mapping, pagesChanged, pagesAdded, pagesRemoved, pagesEqual } = range;
  const owner = pid === undefined ? `shared memory ${shared}` : `process ${pid}`;
  const cells = [pagesChanged, pagesAdded, pagesRemoved, pagesEqual].map(
    (count) => html`<td class="n">${count === 0 ? '–' : count}</td>`,
  );
  return html`<tr><th scope="row">${owner} <code>${clipped(mapping ? rangeText(mapping) : '', MAX_VALUE)}</code></th>${cells}</tr>
`;
}
