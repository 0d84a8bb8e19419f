import type {
  CheckpointDescription,
  DescribedRound,
  DumpStats,
  MemorySizes,
} from '../../images.ts';
import { type Html, html } from '../html.ts';
import { memoryBlocks, sizeOf, sumOf, totalsOf } from '../memory-blocks.ts';
import { type MemoryClass, memoryClasses } from '../memory-classes.ts';
import { coordinate, counted, formatBytes, formatDuration, formatTime } from '../quantities.ts';
import { memoryTreemap } from '../treemap.ts';

/** The most rounds in the table; the pages of older ones are as old as theirs. */
const MAX_ROUNDS = 100;

/** What the memory is for, and in which round it was written. */
export function memorySection(checkpoint: CheckpointDescription): Html {
  const blocks = memoryBlocks(checkpoint);
  if (blocks.length === 0) return html`<p>The images have no memory.</p>`;
  const totals = totalsOf(blocks);
  const order = (Object.keys(memoryClasses) as MemoryClass[]).filter((own) => totals.has(own));
  const mapped = checkpoint.processes.reduce((sum, { bytesMapped }) => sum + bytesMapped, 0);
  const hasOlder = checkpoint.parents.length > 0;
  const sum = sumOf(blocks);
  return html`
<p>${formatBytes(sizeOf(sum))} of memory${mapped > 0 ? ` of ${formatBytes(mapped)} that are mapped` : ''}; the rest was
never written, or is as in the mapped file. Memory that processes share is counted once.${
    hasOlder ? ' Paler: unchanged since an earlier round.' : ''
  }</p>
${memoryTreemap(blocks)}
<p class="detail" aria-live="polite">Point at an area, or move to it by Tab and the arrow keys, to see what it is.</p>
<table><thead><tr><th>What</th><th class="n">All</th><th class="n">Written by this dump</th><th class="n">In earlier rounds</th><th class="n">Still in the original</th></tr></thead><tbody>
${order.map((own) => row(memoryClasses[own], totals.get(own) as MemorySizes, own))}
${row('Sum', sum)}
</tbody></table>
<p class="note">V8's heap and the stacks of threads are recognised by the places of their mappings; buffers are in the
native heap, from which nothing tells them.</p>
${roundsTable(checkpoint)}`;
}

function row(title: string, sizes: MemorySizes, own?: MemoryClass): Html {
  const { bytesStored, bytesInParents, bytesLazy } = sizes;
  const cells = [sizeOf(sizes), bytesStored, bytesInParents, bytesLazy].map(
    (size) => html`<td class="n">${size === 0 ? '–' : formatBytes(size)}</td>`,
  );
  const key = own === undefined ? undefined : html`<span class="key k-${own}"></span> `;
  return html`<tr><th scope="row">${key}${title}</th>${cells}</tr>
`;
}

type Round = Pick<DescribedRound, 'writtenAt' | 'bytesStored' | 'stats'>;

/** What each round has written, the oldest first: how much memory was dirty. */
function roundsTable({
  parents,
  writtenAt,
  memory,
  stats,
}: CheckpointDescription): Html | undefined {
  if (parents.length === 0) return undefined;
  const last: Round = { writtenAt, bytesStored: sumOf(memory).bytesStored, stats };
  const shown = parents.slice(0, MAX_ROUNDS).toReversed();
  const rounds: Round[] = [...shown, last];
  const most = Math.max(...rounds.map(({ bytesStored }) => bytesStored), 1);
  return html`<h3>Dirty memory per round</h3>
<p>${counted(parents.length, 'round')} before the dump${parents.length > shown.length ? `; the last ${shown.length} are shown` : ''}.</p>
<table><thead><tr><th>Written</th><th class="n">Memory</th><th class="n">Frozen</th><th class="wide"></th></tr></thead><tbody>
${rounds.map(
  (
    round,
  ) => html`<tr><th scope="row">${formatTime(round.writtenAt)}</th><td class="n">${formatBytes(round.bytesStored)}</td><td class="n">${frozen(round.stats)}</td><td class="wide">${bar(round.bytesStored / most)}</td></tr>
`,
)}</tbody></table>`;
}

const frozen = (stats: DumpStats | undefined) =>
  stats ? formatDuration(stats.frozenTimeMs) : 'unknown';

function bar(part: number): Html {
  return html`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${coordinate(part * 100)}" height="8"/></svg>`;
}
