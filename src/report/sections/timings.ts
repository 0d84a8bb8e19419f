import type { CheckpointDescription, DumpStats } from '../../images.ts';
import { type Html, html } from '../html.ts';
import { coordinate, formatBytes, formatDuration } from '../quantities.ts';

const WIDTH = 1000;
const LABELS = 210;
const ROW = 26;

interface Span {
  readonly name: string;
  readonly fromMs: number;
  readonly timeMs: number;
}

/** Where the time of the dump went. */
export function timingsSection({ stats, kind }: CheckpointDescription): Html {
  if (!stats) {
    return html`<p>The images have no statistics: there is neither a manifest nor CRIU's <code>stats-dump</code>.</p>`;
  }
  return html`
${timeline(spansOf(stats, kind))}
<table><tbody>
${rows(stats).map(
  ([name, value]) => html`<tr><th scope="row">${name}</th><td class="n">${value}</td></tr>
`,
)}</tbody></table>
<p class="note">CRIU measures the sum of each kind of work. They are drawn one after another, and alternate between
processes. The rest is what remains of the frozen time.</p>`;
}

/** A pre-dump writes the memory after the processes run again. */
function spansOf(stats: DumpStats, kind: CheckpointDescription['kind']): Span[] {
  const { freezingTimeMs, frozenTimeMs, memdumpTimeMs, memwriteTimeMs } = stats;
  const collected = freezingTimeMs + memdumpTimeMs;
  const writing = kind === 'dump' ? collected : Math.max(collected, frozenTimeMs);
  const known = kind === 'dump' ? writing + memwriteTimeMs : collected;
  return [
    { name: 'Processes are frozen', fromMs: 0, timeMs: frozenTimeMs },
    { name: 'Stopping the processes', fromMs: 0, timeMs: freezingTimeMs },
    { name: 'Collecting memory', fromMs: freezingTimeMs, timeMs: memdumpTimeMs },
    { name: 'Writing memory', fromMs: writing, timeMs: memwriteTimeMs },
    {
      ...{ name: 'Files, sockets, and the rest', fromMs: known },
      timeMs: Math.max(0, frozenTimeMs - known),
    },
  ];
}

function timeline(spans: readonly Span[]): Html {
  const end = Math.max(...spans.map(({ fromMs, timeMs }) => fromMs + timeMs), 0.001);
  const x = (timeMs: number) => LABELS + (timeMs / end) * (WIDTH - LABELS - 80);
  const height = spans.length * ROW;
  return html`<svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Timeline of the dump">
${spans.map(({ name, fromMs, timeMs }, index) => {
  const y = index * ROW;
  return html`<text x="0" y="${y + 17}">${name}</text><rect class="${index === 0 ? 'frozen' : 'work'}" x="${coordinate(x(fromMs))}" y="${y + 4}" width="${coordinate(Math.max(1, x(fromMs + timeMs) - x(fromMs)))}" height="${ROW - 8}"/><text x="${coordinate(x(fromMs + timeMs) + 6)}" y="${y + 17}">${formatDuration(timeMs)}</text>
`;
})}</svg>`;
}

function rows(stats: DumpStats): [name: string, value: string][] {
  const { pagesScanned, pagesSkippedParent, pagesWritten, pagesLazy, bytesWritten } = stats;
  return [
    ['Pages examined', String(pagesScanned)],
    ['Pages that earlier rounds have', String(pagesSkippedParent)],
    ['Pages written', String(pagesWritten)],
    ...(pagesLazy > 0
      ? [['Pages left in the processes', String(pagesLazy)] as [string, string]]
      : []),
    ['Memory written', formatBytes(bytesWritten)],
  ];
}
