import type { PlannedMove } from '../plan.ts';
import type { HostLimits } from '../view.ts';

/** Moves of one source that have not been put in order, the largest first. */
interface Pending {
  readonly source: string;
  readonly moves: PlannedMove[];
}

/**
 * Puts moves in the order in which they begin: in rounds in which no host sends or receives more than its limits allow.
 *
 * Sources alternate, so that all of them work from the beginning, and none waits for the fleet's limit behind the moves of
 * another. Destinations alternate, so that none refuses a move as busy while another has nothing to do. Of one source the
 * largest comes first: if a large one began last, the drain would wait for it alone, and what takes longest is also what
 * one wants to see early. That also holds for a drain that is stopped: the fewer moves are left, the smaller they are.
 */
export function inOrder(
  moves: readonly PlannedMove[],
  limitsOf: (host: string) => HostLimits | undefined,
): PlannedMove[] {
  const sources = bySource(moves);
  const ordered: PlannedMove[] = [];
  while (ordered.length < moves.length) ordered.push(...oneRound(sources, limitsOf));
  return ordered;
}

function bySource(moves: readonly PlannedMove[]): Pending[] {
  const sources = new Map<string, PlannedMove[]>();
  for (const move of moves) {
    const list = sources.get(move.from) ?? [];
    list.push(move);
    sources.set(move.from, list);
  }
  return [...sources].map(([source, list]) => ({ source, moves: list.sort(largestFirst) }));
}

/** The moves that can be under way together. There is at least one, if any is left. */
function oneRound(
  sources: readonly Pending[],
  limitsOf: (host: string) => HostLimits | undefined,
): PlannedMove[] {
  const round: PlannedMove[] = [];
  const received = new Map<string, number>();
  const sent = new Map<string, number>();
  const hasSlot = ({ to }: PlannedMove) =>
    (received.get(to) ?? 0) < Math.max(1, limitsOf(to)?.incoming ?? 1);
  for (let hasFound = true; hasFound; ) {
    hasFound = false;
    for (const { source, moves } of sources) {
      const own = sent.get(source) ?? 0;
      if (own >= Math.max(1, limitsOf(source)?.outgoing ?? 1)) continue;
      const at = moves.findIndex(hasSlot);
      const [move] = at < 0 ? [] : moves.splice(at, 1);
      if (!move) continue;
      round.push(move);
      received.set(move.to, (received.get(move.to) ?? 0) + 1);
      sent.set(source, own + 1);
      hasFound = true;
    }
  }
  return round;
}

/** Compares what has memory and a name. */
export function largestFirst(
  a: { readonly memoryBytes: number; readonly workload: string },
  b: { readonly memoryBytes: number; readonly workload: string },
): number {
  return b.memoryBytes - a.memoryBytes || (a.workload < b.workload ? -1 : 1);
}
