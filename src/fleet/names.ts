import { type Check, check, record } from '../options/check.ts';
import type { Labels, WorkloadKind } from './view.ts';

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** True for the name of a fleet, a host, a workload, an operator or a label. It is safe as the name of a file and a key. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/** The check of such a name. */
export const name: Check = check(
  'a name of up to 63 letters, digits, dots, hyphens and underscores',
  isName,
);

const KINDS: readonly unknown[] = ['process', 'container', 'copy'] satisfies WorkloadKind[];

/** True for the name of a kind of workloads. */
export function isWorkloadKind(value: unknown): value is WorkloadKind {
  return KINDS.includes(value);
}

const LABEL = /^[A-Za-z0-9._/@:+-]{0,253}$/;

/** The check of labels. */
export const labels: Check = record(
  'a record of labels, whose names have up to 63 letters, digits, dots, hyphens and underscores',
  isName,
  check(
    'a text of up to 253 letters, digits and ._/@:+-',
    (value) => typeof value === 'string' && LABEL.test(value),
  ),
);

/** True for labels that another host has sent. */
export function areLabels(value: unknown): value is Labels {
  return (
    labels.accepts(value) &&
    Object.entries(value as object).every(
      ([key, text]) => isName(key) && typeof text === 'string' && LABEL.test(text),
    )
  );
}

/** True if labels have all of the wanted ones. */
export function haveLabels(given: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(given, key) && given[key] === value,
  );
}
