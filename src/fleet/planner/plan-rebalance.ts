import { counted } from '../../report/quantities.ts';
import type { FleetPlan, PlannedMove, UnplacedWorkload } from '../plan.ts';
import type { FleetView, FleetWorkload } from '../view.ts';
import { Candidates } from './candidates.ts';
import { immovableReason } from './immovable.ts';
import { MemoryLevels } from './memory-levels.ts';
import { inOrder } from './move-order.ts';
import {
  DEFAULT_HYSTERESIS,
  DEFAULT_STRATEGY,
  DEFAULT_THRESHOLD,
  type PlanRebalanceOptions,
  rebalanceOptions,
} from './plan-options.ts';
import { noHostReason, percent } from './plan-text.ts';

/**
 * Plans to even out the used parts of the memory of all hosts that are ready. A host that is above the mean by more than the
 * threshold sheds workloads to hosts below the mean until it is not. No workload is moved twice, no host both sends and
 * receives, and the range between the fullest and the emptiest host never grows. A pure function of its arguments.
 *
 * Unplaced are workloads of hosts that stay above the threshold.
 * @param view what is known of the fleet
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function planRebalance(view: FleetView, options: PlanRebalanceOptions = {}): FleetPlan {
  return new Rebalance(view, rebalanceOptions(options)).plan();
}

/** A host that is above the threshold. */
interface Source {
  readonly host: number;
  readonly name: string;
  /** Those that have not been tried, the largest first. */
  readonly workloads: FleetWorkload[];
  /** Those that cannot be moved. */
  readonly unplaced: UnplacedWorkload[];
}

class Rebalance {
  readonly #candidates: Candidates;
  readonly #levels: MemoryLevels;
  readonly #options: PlanRebalanceOptions;
  readonly #limit: number;
  readonly #hysteresis: number;
  readonly #moves: PlannedMove[] = [];
  readonly #sources: readonly Source[];

  constructor(view: FleetView, options: PlanRebalanceOptions) {
    const { threshold = DEFAULT_THRESHOLD, hysteresis = DEFAULT_HYSTERESIS } = options;
    this.#options = options;
    this.#candidates = new Candidates(view, options);
    this.#levels = new MemoryLevels(this.#candidates, view.workloads, options.exclude ?? []);
    this.#limit = this.#levels.mean + threshold;
    this.#hysteresis = hysteresis;
    this.#sources = this.#findSources(view.workloads);
  }

  plan(): FleetPlan {
    const { maxMoves = Number.POSITIVE_INFINITY } = this.#options;
    const stuck = new Set<Source>();
    let source = this.#fullest(stuck);
    while (source && this.#moves.length < maxMoves) {
      if (!this.#shed(source)) stuck.add(source);
      source = this.#fullest(stuck);
    }
    const { hosts, index } = this.#candidates;
    return {
      moves: inOrder(this.#moves, (name) => hosts[index.get(name) ?? -1]?.limits),
      unplaced: [...stuck]
        .flatMap(({ unplaced }) => unplaced)
        .sort((a, b) => (a.workload < b.workload ? -1 : 1)),
      notes: this.#notes(stuck, source !== undefined),
    };
  }

  #findSources(workloads: readonly FleetWorkload[]): Source[] {
    const sources = new Map<string, Source>();
    for (const host of this.#levels.hosts) {
      if (!this.#isAbove(host)) continue;
      const { name } = this.#candidates.host(host);
      sources.set(name, { host, name, workloads: [], unplaced: [] });
    }
    for (const workload of workloads) {
      const source = sources.get(workload.host);
      if (!source || workload.state === 'ended') continue;
      const reason = immovableReason(workload, this.#candidates.host(source.host));
      if (reason === undefined) source.workloads.push(workload);
      else source.unplaced.push(unplaced(workload, reason, []));
    }
    for (const source of sources.values()) {
      this.#candidates.close(source.host, 'has more than its part in use itself');
      source.workloads.sort((a, b) => b.memoryBytes - a.memoryBytes || (a.name < b.name ? -1 : 1));
    }
    return [...sources.values()];
  }

  #isAbove(host: number): boolean {
    return this.#levels.level(host) > this.#limit;
  }

  /** The fullest first: if there is a limit of moves, it is used where it helps most. */
  #fullest(stuck: ReadonlySet<Source>): Source | undefined {
    let fullest: Source | undefined;
    for (const source of this.#sources) {
      if (stuck.has(source) || !this.#isAbove(source.host)) continue;
      if (!fullest || this.#levels.level(source.host) > this.#levels.level(fullest.host)) {
        fullest = source;
      }
    }
    return fullest;
  }

  /** Plans one move from a host; false if none is possible. */
  #shed(source: Source): boolean {
    const { workloads } = source;
    while (workloads.length > 0) {
      // The largest that does not bring the host below the mean needs the fewest moves; else the smallest that does.
      const excess = this.#levels.excess(source.host);
      const fitting = workloads.findIndex(({ memoryBytes }) => memoryBytes <= excess);
      const [workload] = workloads.splice(fitting < 0 ? workloads.length - 1 : fitting, 1);
      if (workload && this.#place(source, workload)) return true;
    }
    return false;
  }

  #place(source: Source, workload: FleetWorkload): boolean {
    const { name, memoryBytes } = workload;
    const demand = this.#candidates.demand(workload, source.host);
    const { host, reason, objections } = this.#candidates.choose(
      demand,
      this.#options.strategy ?? DEFAULT_STRATEGY,
      { also: this.#objector(source, memoryBytes) },
    );
    if (host === undefined) {
      source.unplaced.push(unplaced(workload, noHostReason(objections), objections));
      return false;
    }
    this.#candidates.take(demand, host);
    this.#levels.move(source.host, host, memoryBytes);
    const to = this.#candidates.host(host).name;
    this.#moves.push({ workload: name, from: source.name, to, memoryBytes, reason, objections });
    return true;
  }

  /** Objects to hosts that would not be closer to the source afterwards. */
  #objector({ host: from, name }: Source, bytes: number): (host: number) => string | undefined {
    const levels = this.#levels;
    const [before, after] = [levels.level(from), levels.levelWith(from, -bytes)];
    const isFull = `has the mean of ${percent(levels.mean)} of memory in use, or more`;
    const wouldBeFull = `would have more than ${percent(this.#limit)} of its memory in use`;
    const wouldTurn = `would leave ${name} with less in use than it has now`;
    const isVain = `would come closer to ${name} by less than ${percent(this.#hysteresis)}`;
    return (to) => {
      const [own, then] = [levels.level(to), levels.levelWith(to, bytes)];
      if (own >= levels.mean) return isFull;
      if (then > this.#limit) return wouldBeFull;
      // Both stay between what they were, so that the range of all hosts cannot grow.
      if (after < own) return wouldTurn;
      const gain = before - own - Math.abs(after - then);
      return gain < this.#hysteresis || gain <= 0 ? isVain : undefined;
    };
  }

  #notes(stuck: ReadonlySet<Source>, isCut: boolean): string[] {
    const limit = `${percent(this.#limit)} of memory in use`;
    if (this.#levels.hosts.length < 2) return ['fewer than two hosts are ready'];
    if (this.#sources.length === 0) {
      return [`no host is above ${limit}, and the mean is ${percent(this.#levels.mean)}`];
    }
    const notes = [...stuck].map(
      ({ name, host }) => `${name} stays at ${percent(this.#levels.level(host))} of memory in use`,
    );
    const left = this.#sources.filter((each) => !stuck.has(each) && this.#isAbove(each.host));
    if (isCut && left.length > 0) {
      const still = `${counted(left.length, 'host')} still above ${limit}`;
      notes.push(`stops at ${counted(this.#moves.length, 'move')}, with ${still}`);
    }
    return notes.sort();
  }
}

function unplaced(
  { name: workload, host: from }: FleetWorkload,
  reason: string,
  objections: UnplacedWorkload['objections'],
): UnplacedWorkload {
  return { workload, from, reason, objections };
}
