import { dotted } from '../../operations/known-versions.ts';
import type { FleetHost, HostFacts } from '../view.ts';

/** How many missing features of a processor a message lists. */
const MAX_LISTED = 3;

/** Where processes come from: what the host is, and its name if it is one of the fleet. */
export interface Origin {
  readonly facts: Pick<HostFacts, 'criu' | 'architecture' | 'cpu'>;
  readonly host: string | undefined;
}

/**
 * Which hosts can continue the processes of which others. A fleet has few kinds of hosts, so that each kind is compared
 * once with each origin.
 */
export class Compatibility {
  readonly #hosts: readonly FleetHost[];
  /** The kind of each host: equal numbers, equal facts. */
  #kinds: readonly number[] | undefined;
  readonly #answers = new Map<Origin, Map<number, string | undefined>>();
  readonly #features = new Map<string, ReadonlySet<string>>();
  readonly #missing = new Map<string, Map<string, string | undefined>>();

  constructor(hosts: readonly FleetHost[]) {
    this.#hosts = hosts;
  }

  objection(origin: Origin, host: number): string | undefined {
    let answers = this.#answers.get(origin);
    if (!answers) {
      answers = new Map();
      this.#answers.set(origin, answers);
    }
    this.#kinds ??= kindsOf(this.#hosts);
    const kind = this.#kinds[host] as number;
    const known = answers.get(kind);
    if (known !== undefined || answers.has(kind)) return known;
    const answer = this.#compare(origin, (this.#hosts[host] as FleetHost).facts);
    answers.set(kind, answer);
    return answer;
  }

  #compare({ facts: from, host }: Origin, to: HostFacts): string | undefined {
    const name = host ?? 'the host before';
    if (to.architecture !== from.architecture) {
      return `its architecture is ${to.architecture}, not ${from.architecture} as that of ${name}`;
    }
    // As an agent decides: only a minor version of CRIU may add to the images what the one before does not know.
    if (Math.floor(to.criu / 100) < Math.floor(from.criu / 100)) {
      return `its CRIU ${version(to.criu)} is older than ${version(from.criu)}, which ${name} has`;
    }
    const missing = this.#missingFeatures(from.cpu, to.cpu);
    return missing && `its processor lacks ${missing}, which that of ${name} has`;
  }

  /** The features of one processor that another lacks, in words; undefined if there are none. */
  #missingFeatures(from: string, to: string): string | undefined {
    if (from === to) return undefined;
    let answers = this.#missing.get(from);
    if (!answers) {
      answers = new Map();
      this.#missing.set(from, answers);
    }
    if (answers.has(to)) return answers.get(to);
    const has = this.#featuresOf(to);
    const missing = [...this.#featuresOf(from)].filter((feature) => !has.has(feature));
    const more = missing.length - MAX_LISTED;
    const listed = missing.slice(0, MAX_LISTED).join(', ');
    const text =
      missing.length === 0 ? undefined : more > 0 ? `${listed} and ${more} more` : listed;
    answers.set(to, text);
    return text;
  }

  #featuresOf(cpu: string): ReadonlySet<string> {
    const known = this.#features.get(cpu);
    if (known) return known;
    const features = new Set(cpu.split(/\s+/).filter(Boolean));
    this.#features.set(cpu, features);
    return features;
  }
}

function kindsOf(hosts: readonly FleetHost[]): number[] {
  const kinds = new Map<string, number>();
  return hosts.map(({ facts }) => {
    const key = `${facts.criu} ${facts.architecture} ${facts.cpu}`;
    const kind = kinds.get(key) ?? kinds.size;
    kinds.set(key, kind);
    return kind;
  });
}

function version(number: number): string {
  return dotted(number).replace(/\.0$/, '');
}
