/** What retention needs to know of a checkpoint. */
export interface Retained {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly bytes: number;
  /** The id of the checkpoint that has the rest of its memory. */
  readonly parent?: string | undefined;
}

/** Which checkpoints to keep: those that at least one of the first two rules keeps, as far as `maxBytes` allows. */
export interface RetentionRules {
  /** Keep so many of the newest checkpoints of each name. */
  readonly keepLast?: number | undefined;
  /** Keep checkpoints that are younger than this, in milliseconds. */
  readonly keepWithin?: number | undefined;
  /**
   * Keep at most so many bytes: the oldest checkpoints go first. The newest checkpoint of each name stays, even if
   * it is larger.
   */
  readonly maxBytes?: number | undefined;
}

/**
 * The checkpoints that may be removed, the newest first, so that each comes before its parent. The parents of
 * those that are kept are kept, too.
 * @param checkpoints all checkpoints, the newest first
 */
export function removable<T extends Retained>(
  checkpoints: readonly T[],
  rules: RetentionRules,
  now: number,
): T[] {
  const { keepLast, keepWithin, maxBytes = Number.POSITIVE_INFINITY } = rules;
  const isAll = keepLast === undefined && keepWithin === undefined;
  const known = new Map(checkpoints.map((each) => [each.id, each]));
  const counts = new Map<string, number>();
  const wanted: T[] = [];
  const kept = new Set<T>();
  for (const each of checkpoints) {
    const newer = counts.get(each.name) ?? 0;
    counts.set(each.name, newer + 1);
    const isRecent = now - each.createdAt.getTime() < (keepWithin ?? 0);
    if (newer === 0) for (const one of chainOf(each, known)) kept.add(one);
    else if (isAll || newer < (keepLast ?? 0) || isRecent) wanted.push(each);
  }
  let bytes = sizeOf([...kept]);
  for (const each of wanted) {
    const chain = chainOf(each, known).filter((one) => !kept.has(one));
    bytes += sizeOf(chain);
    // What is older than the first that does not fit goes, too.
    if (bytes > maxBytes) break;
    for (const one of chain) kept.add(one);
  }
  return checkpoints.filter((each) => !kept.has(each));
}

/** A checkpoint and its parents, as far as they are known. */
function chainOf<T extends Retained>(first: T, known: ReadonlyMap<string, T>): T[] {
  const chain = new Set<T>();
  for (let at: T | undefined = first; at && !chain.has(at); at = known.get(at.parent ?? '')) {
    chain.add(at);
  }
  return [...chain];
}

function sizeOf(checkpoints: readonly Retained[]): number {
  return checkpoints.reduce((sum, { bytes }) => sum + bytes, 0);
}
