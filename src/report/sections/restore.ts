import type { CheckpointDescription } from '../../images.ts';
import type { PreflightFinding } from '../../index.ts';
import { groupBy } from '../groups.ts';
import { clipped, type Html, html } from '../html.ts';
import { counted, formatBytes } from '../quantities.ts';

/** The most findings, the most values of one need, and the characters of a value. */
const MAX_FINDINGS = 100;
const MAX_VALUES = 30;
const MAX_VALUE = 300;
/** The most characters of a message. */
const MAX_MESSAGE = 1000;

/** What a preflight on this host has found, or why there was none. */
export interface RestorePreflight {
  readonly findings: readonly PreflightFinding[];
  /** Undefined if the host was examined. */
  readonly impossible: string | undefined;
  /** The name of the host that was examined. */
  readonly host: string;
}

/** What would make a restore fail, and what it needs. */
export function restoreSection(
  { findings, impossible, host }: RestorePreflight,
  checkpoint: CheckpointDescription | undefined,
): Html {
  const groups = [...groupBy(findings, (one) => [one.severity, one.code, one.remedy].join())];
  const others = groups.length - MAX_FINDINGS;
  return html`
${impossible === undefined ? undefined : html`<p class="finding info"><b>Not examined</b> ${clipped(impossible, MAX_MESSAGE)}</p>`}
${groups.slice(0, MAX_FINDINGS).map(([, group]) => finding(group))}
${others > 0 ? html`<p>and ${counted(others, 'more kind')} of findings.</p>` : undefined}
${impossible === undefined && findings.length === 0 ? html`<p class="finding good"><b>No problem found</b> on the host ${host}.</p>` : undefined}
<p class="note">Names of options are those of the library: <code>tcpEstablished</code> is <code>--tcp-established</code> in the command.</p>
${checkpoint && checkpoint.kind === 'dump' ? needs(checkpoint) : undefined}`;
}

/** Those that differ only in the process or descriptor are one. */
function finding(group: readonly PreflightFinding[]): Html {
  const { severity, code, message, remedy } = group[0] as PreflightFinding;
  const also = group.length > 1 ? ` and ${counted(group.length - 1, 'more')} of this kind` : '';
  return html`<p class="finding ${severity}"><b>${code}</b> ${clipped(message, MAX_MESSAGE)}${also}. ${clipped(remedy, MAX_MESSAGE)}</p>
`;
}

function needs({ needs: all }: CheckpointDescription): Html {
  const { criu, architecture, processor, lsm, plugins, options, external, addresses } = all;
  const rows: [name: string, values: readonly string[]][] = [
    ['CRIU', criu === undefined ? [] : [`${criu} or newer`]],
    ['architecture', architecture === undefined ? [] : [architecture]],
    ['processor', processor === undefined ? [] : [`like ${processor}`]],
    ['security module', lsm === undefined ? [] : [lsm]],
    ['plugins of CRIU', plugins],
    [
      'options',
      options.map(({ option, reason, isRemembered }) => {
        return `${option}: ${reason}${isRemembered ? ' (the manifest says so)' : ''}`;
      }),
    ],
    ['from outside', external.map(({ kind, key }) => `${kind} ${key}`)],
    ['addresses', addresses.map(addressText)],
    ['free pids', rangesOf(all.pids)],
    [
      'lazy pages',
      all.bytesLazy > 0 ? [`${formatBytes(all.bytesLazy)} from the original host`] : [],
    ],
    ['unchanged files', all.files.map(({ path }) => path)],
  ];
  return html`<h3>A restore needs</h3>
<table><tbody>${rows
    .filter(([, values]) => values.length > 0)
    .map(
      ([name, values]) => html`<tr><th scope="row">${name}</th><td>${listed(values)}</td></tr>
`,
    )}</tbody></table>`;
}

type Address = CheckpointDescription['needs']['addresses'][number];

function addressText({ protocol, address, port, isListening }: Address): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${protocol} ${host}:${port}${isListening ? ', listens' : ''}`;
}

function listed(values: readonly string[]): Html {
  const others = values.length - MAX_VALUES;
  return html`${values.slice(0, MAX_VALUES).map((value) => html`<div>${clipped(value, MAX_VALUE)}</div>`)}${others > 0 ? html`<div>and ${others} more</div>` : undefined}`;
}

/** `71`, `73–80` */
function rangesOf(numbers: readonly number[]): string[] {
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === number) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`));
}
