import { parseId } from '../../store/store-directory.ts';
import { isName } from '../names.ts';
import type { WorkloadCheckpoint } from '../view.ts';

/** What a host says of the checkpoints that it holds: the generation of the workload by the id of its newest checkpoint. */
export type HeldCheckpoints = Readonly<Record<string, number>>;

interface Candidate extends WorkloadCheckpoint {
  readonly generation: number;
  readonly isReachable: boolean;
}

/**
 * The last checkpoint of each workload. One that a live host holds comes before a newer one that is lost with its host.
 * @param records what each host has said, which is not trusted
 * @param alive the names of the hosts that are alive
 */
export function lastCheckpoints(
  records: Readonly<Record<string, string>>,
  alive: ReadonlySet<string>,
): ReadonlyMap<string, WorkloadCheckpoint> {
  const found = new Map<string, Candidate>();
  for (const [host, text] of Object.entries(records)) {
    if (!isName(host)) continue;
    for (const [id, generation] of entriesOf(text)) {
      const parts = parseId(id);
      if (!parts || !Number.isSafeInteger(generation)) continue;
      const { name, createdAt } = parts;
      const isReachable = alive.has(host);
      const own = { id, at: createdAt.getTime(), hosts: [host], generation, isReachable };
      found.set(name, newerOf(found.get(name), own));
    }
  }
  return new Map(
    [...found].map(([name, { id, at, hosts }]) => [name, { id, at, hosts: [...hosts].sort() }]),
  );
}

function newerOf(known: Candidate | undefined, other: Candidate): Candidate {
  if (!known) return other;
  if (known.id === other.id) {
    const isReachable = known.isReachable || other.isReachable;
    return { ...known, isReachable, hosts: [...known.hosts, ...other.hosts] };
  }
  return isAfter(other, known) ? other : known;
}

function isAfter(one: Candidate, other: Candidate): boolean {
  if (one.isReachable !== other.isReachable) return one.isReachable;
  // The clock of the host that the workload was on before may have been ahead.
  if (one.generation !== other.generation) return one.generation > other.generation;
  return one.at > other.at || (one.at === other.at && one.id > other.id);
}

function entriesOf(text: string): [string, number][] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object.entries(value) : [];
  } catch {
    return [];
  }
}
