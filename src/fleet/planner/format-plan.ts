import { peerText } from '../../migration/protocol/peer-text.ts';
import { counted, formatBytes } from '../../report/quantities.ts';
import type { FleetPlan, HostObjection, PlannedMove } from '../plan.ts';
import { hostsText, tableText, unplacedText } from './plan-text.ts';

/** How many different objections to hosts are listed for all moves together. */
const MAX_OBJECTIONS = 12;
/** How many names of hosts an objection has. */
const MAX_NAMES = 10;

/**
 * A plan as text for a terminal: a table of its moves, why other hosts are not possible for them, what stays and why, and
 * notes. What names contain that a terminal would interpret is escaped.
 */
export function formatPlan({ moves, unplaced, notes }: FleetPlan): string {
  const lines: string[] = [];
  if (moves.length === 0) lines.push('Nothing is moved.');
  else {
    const bytes = moves.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    lines.push(`${counted(moves.length, 'move')}, ${formatBytes(bytes)} of memory:`, '');
    lines.push(...movesTable(moves));
  }
  const objections = allObjections(moves);
  if (objections.length > 0) {
    lines.push('', 'Not possible for these moves:', '', ...objections.map((line) => `  ${line}`));
  }
  if (unplaced.length > 0) {
    lines.push('', `${counted(unplaced.length, 'workload stays', 'workloads stay')}:`, '');
    lines.push(...unplacedText(unplaced));
  }
  if (notes.length > 0) lines.push('', ...notes.map((note) => `Note: ${note}`));
  return `${lines.map((line) => peerText(line)).join('\n')}\n`;
}

function movesTable(moves: readonly PlannedMove[]): string[] {
  const rows = [
    ['', 'workload', 'from', 'to', 'memory', 'why'],
    ...moves.map(({ workload, from, to, memoryBytes, reason }, at) => [
      ...[String(at + 1), workload, from, to, formatBytes(memoryBytes), reason],
    ]),
  ];
  return tableText(rows, [0, 4]);
}

/** The objections of all moves, each once, with all hosts that it names: those that hold most often first. */
function allObjections(moves: readonly PlannedMove[]): string[] {
  const groups = new Map<string, { times: number; count: number; readonly hosts: Set<string> }>();
  for (const { objection, count, hosts } of moves.flatMap(({ objections }) => objections)) {
    const group = groups.get(objection) ?? { times: 0, count: 0, hosts: new Set() };
    group.times++;
    group.count = Math.max(group.count, count);
    for (const host of hosts) if (group.hosts.size < MAX_NAMES) group.hosts.add(host);
    groups.set(objection, group);
  }
  const sorted = [...groups].sort(
    ([a, one], [b, other]) => other.times * other.count - one.times * one.count || (a < b ? -1 : 1),
  );
  const lines = sorted.slice(0, MAX_OBJECTIONS).map(([objection, { times, count, hosts }]) => {
    const named: HostObjection = {
      objection,
      count: Math.max(count, hosts.size),
      hosts: [...hosts].sort(),
    };
    const often = times < moves.length ? ` (for ${counted(times, 'move')})` : '';
    return `${hostsText(named)}: ${objection}${often}`;
  });
  const more = sorted.length - lines.length;
  return more > 0 ? [...lines, `and ${counted(more, 'more reason', 'more reasons')}`] : lines;
}
