import type { HostObjection, UnplacedWorkload } from '../plan.ts';
import type { Labels } from '../view.ts';

/** How many reasons a line has. */
const MAX_REASONS = 3;

/** A part of a whole, such as `71 %` or `2.5 %`. */
export function percent(part: number): string {
  return `${Number((part * 100).toFixed(Math.abs(part) < 0.1 ? 1 : 0))} %`;
}

/** Labels, such as `app=web, zone=a`. */
export function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** The hosts of an objection, such as `host-b, host-c and 4 more`. */
export function hostsText({ count, hosts }: HostObjection): string {
  const more = count - hosts.length;
  if (more > 0) return `${hosts.join(', ')} and ${more} more`;
  return hosts.length < 2
    ? hosts.join()
    : `${hosts.slice(0, -1).join(', ')} and ${hosts.at(-1) as string}`;
}

/** Why there is no host, in one line. */
export function noHostReason(objections: readonly HostObjection[]): string {
  if (objections.length === 0) return 'no host is possible: the fleet has no other';
  const reasons = objections
    .slice(0, MAX_REASONS)
    .map((each) => `${hostsText(each)}: ${each.objection}`);
  const more = objections.length - reasons.length;
  if (more > 0) reasons.push(`and ${more} more ${more === 1 ? 'reason' : 'reasons'}`);
  return `no host is possible (${reasons.join('; ')})`;
}

/** Rows under a row of titles, indented, with the cells of some columns aligned to the right. */
export function tableText(
  rows: readonly (readonly string[])[],
  numbers: readonly number[],
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return numbers.includes(column) ? cell.padStart(width) : cell.padEnd(width);
    });
    return `  ${cells.join('  ').trimEnd()}`;
  });
}

/** Each workload that a plan leaves, and why. */
export function unplacedText(unplaced: readonly UnplacedWorkload[]): string[] {
  return unplaced.flatMap(({ workload, from, reason, objections }) => [
    `  ${workload} on ${from}: ${objections.length === 0 ? reason : 'no host is possible'}`,
    ...objections.map((each) => `    ${hostsText(each)}: ${each.objection}`),
  ]);
}
