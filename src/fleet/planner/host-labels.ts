import type { FleetHost, Labels } from '../view.ts';
import { labelsText } from './plan-text.ts';

/** Which hosts have which labels. Each condition is compared once with all hosts. */
export class HostLabels {
  readonly #hosts: readonly FleetHost[];
  readonly #answers = new Map<string, readonly (string | undefined)[]>();

  constructor(hosts: readonly FleetHost[]) {
    this.#hosts = hosts;
  }

  /** For each host the labels that it lacks, in words; undefined if it has all. */
  objections(labels: Labels | undefined): readonly (string | undefined)[] | undefined {
    const wanted = Object.entries(labels ?? {});
    if (wanted.length === 0) return undefined;
    const key = JSON.stringify(wanted);
    const known = this.#answers.get(key);
    if (known) return known;
    const texts = new Map<string, string>();
    const answers = this.#hosts.map((host) => {
      const missing = wanted.filter(([name, value]) => host.labels[name] !== value);
      if (missing.length === 0) return undefined;
      const text = `lacks the label ${labelsText(Object.fromEntries(missing))}`;
      // One string for equal texts, because they are compared for each move.
      if (!texts.has(text)) texts.set(text, text);
      return texts.get(text);
    });
    this.#answers.set(key, answers);
    return answers;
  }
}
