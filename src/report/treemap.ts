import { type HierarchyRectangularNode, hierarchy, treemap } from 'd3-hierarchy';
import { groupBy } from './groups.ts';
import { clipped, type Html, html } from './html.ts';
import { type MemoryBlock, sizeOf } from './memory-blocks.ts';
import { type MemoryClass, memoryClasses } from './memory-classes.ts';
import { coordinate, formatBytes } from './quantities.ts';

const WIDTH = 1000;
const HEIGHT = 460;
/** Height of a title, and width of one of its characters. */
const TITLE = 17;
const CHARACTER = 6.6;
/** Titles of what is narrower would be unreadable. */
const MIN_WIDTH = 60;

interface Branch {
  readonly title: string;
  readonly class?: MemoryClass;
  readonly children?: readonly Branch[];
  readonly block?: MemoryBlock;
}

type Node = HierarchyRectangularNode<Branch>;

/** Memory as areas: in classes, and in these by processes, if there are several. */
export function memoryTreemap(blocks: readonly MemoryBlock[]): Html {
  const root = hierarchy<Branch>(treeOf(blocks), ({ children }) => children)
    .sum(({ block }) => (block ? sizeOf(block) : 0))
    .sort((one, other) => (other.value ?? 0) - (one.value ?? 0));
  const placed = treemap<Branch>()
    .size([WIDTH, HEIGHT])
    .paddingInner(1)
    .paddingTop((node) => (hasTitle(node) ? TITLE : 0))
    .round(true)(root);
  const nodes = placed.descendants().filter((node) => node.depth > 0);
  return html`<svg class="treemap" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="group"
 aria-label="Memory by what it is for">${nodes.map((node) => (node.data.block ? cell(node, node.data.block) : group(node)))}</svg>`;
}

function treeOf(blocks: readonly MemoryBlock[]): Branch {
  const hasSeveral = new Set(blocks.map(({ pid }) => pid)).size > 1;
  const classes = [...groupBy(blocks, ({ class: own }) => own)].map(([own, all]): Branch => {
    const byProcess = [...groupBy(all, ({ pid }) => pid)];
    const children = hasSeveral
      ? byProcess.map(([pid, some]) => ({ title: titleOf(pid), children: some.map(leaf) }))
      : all.map(leaf);
    return { title: memoryClasses[own], class: own, children };
  });
  return { title: '', children: classes };
}

const titleOf = (pid: number | undefined) =>
  pid === undefined ? 'several processes' : `process ${pid}`;
const leaf = (block: MemoryBlock): Branch => ({ title: block.name, class: block.class, block });

/** Whether a class or process is large enough for a title and for what is below it. */
function hasTitle({ depth, children, x0, x1, y0, y1 }: Node): boolean {
  return depth > 0 && children !== undefined && x1 - x0 > MIN_WIDTH && y1 - y0 > 2 * TITLE;
}

/** The title of a class or of a process. */
function group(node: Node): Html {
  const { data, value = 0 } = node;
  const text = `${data.title}, ${formatBytes(value)}`;
  return html`<g>${rectangle(node, 'group')}${hasTitle(node) ? label(node, text) : undefined}<title>${text}</title></g>`;
}

/** A block. What earlier rounds have is paler, and what a lazy dump has left is paler still. */
function cell({ data, ...node }: Node, block: MemoryBlock): Html {
  const { bytesInParents, bytesLazy, pid } = block;
  const total = sizeOf(block);
  const text = [
    `${memoryClasses[block.class]}${pid === undefined ? '' : ` of process ${pid}`}`,
    `${data.title}: ${formatBytes(total)}`,
    ...(bytesInParents > 0 ? [`${formatBytes(bytesInParents)} of it in earlier rounds`] : []),
    ...(bytesLazy > 0 ? [`${formatBytes(bytesLazy)} of it still in the original process`] : []),
  ].join(', ');
  const part = (bytes: number) => ((node.x1 - node.x0) * bytes) / total;
  const from = node.x1 - part(bytesInParents) - part(bytesLazy);
  return html`<g class="cell c-${block.class}" tabindex="-1" role="img" aria-label="${text}"><title>${text}</title>${rectangle(node, 'all')}${
    bytesInParents > 0 ? rectangle({ ...node, x0: from }, 'older') : undefined
  }${bytesLazy > 0 ? rectangle({ ...node, x0: node.x1 - part(bytesLazy) }, 'lazy') : undefined}${label(node, shortTitle(block))}</g>
`;
}

/** The last part of a path, or the size of what has no name. */
function shortTitle(block: MemoryBlock): string {
  const [, path] = /^(?:.*\/)?([^/[][^/]*) 0x/.exec(block.name) ?? [];
  return path ?? formatBytes(sizeOf(block));
}

type Box = Pick<Node, 'x0' | 'x1' | 'y0' | 'y1'>;

function rectangle({ x0, x1, y0, y1 }: Box, name: string): Html {
  return html`<rect class="${name}" x="${coordinate(x0)}" y="${coordinate(y0)}" width="${coordinate(Math.max(0, x1 - x0))}" height="${coordinate(Math.max(0, y1 - y0))}"/>`;
}

/** As much of a text as fits. */
function label({ x0, x1, y0, y1 }: Box, text: string): Html | undefined {
  const characters = Math.floor((x1 - x0 - 6) / CHARACTER);
  if (characters < 4 || y1 - y0 < TITLE - 3) return undefined;
  return html`<text x="${x0 + 4}" y="${y0 + 12}">${clipped(text, characters)}</text>`;
}
