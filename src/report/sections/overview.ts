import type { CheckpointDescription } from '../../images.ts';
import { clipped, type Html, html } from '../html.ts';
import { sizeOf, sumOf } from '../memory-blocks.ts';
import { counted, formatBytes, formatDuration, formatTime } from '../quantities.ts';
import type { RestorePreflight } from './restore.ts';
import type { Verification } from './verification.ts';

/** The answers to what is asked first: is it whole, can it be restored here, and what is it. */
export function overviewSection(
  checkpoint: CheckpointDescription | undefined,
  verification: Verification,
  preflight: RestorePreflight,
): Html {
  return html`<div class="cards">${imagesCard(verification)}${restoreCard(preflight)}${
    checkpoint ? [...sizeCards(checkpoint)] : undefined
  }</div>
${checkpoint ? facts(checkpoint) : undefined}`;
}

type Level = 'good' | 'warning' | 'error' | 'info' | 'plain';

function card(level: Level, title: string, value: string, link: string): Html {
  return html`<a class="card ${level}" href="#${link}"><small>${title}</small><b>${value}</b></a>
`;
}

function imagesCard({ findings, isDeep, unreadable }: Verification): Html {
  const count = findings.length + (unreadable ? 1 : 0);
  if (count > 0) return card('error', 'Images', counted(count, 'defect'), 'verification');
  return card('good', 'Images', isDeep ? 'complete, unchanged' : 'complete', 'verification');
}

function restoreCard({ findings, impossible }: RestorePreflight): Html {
  const title = 'A restore here';
  if (impossible !== undefined) return card('info', title, 'not examined', 'restore');
  const count = (of: string) => findings.filter(({ severity }) => severity === of).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (errors > 0) return card('error', title, `${counted(errors, 'error')}`, 'restore');
  if (warnings > 0) return card('warning', title, counted(warnings, 'warning'), 'restore');
  return card('good', title, 'no problem found', 'restore');
}

function sizeCards({ processes, memory, stats, kind }: CheckpointDescription): Html[] {
  return [
    ...(kind === 'dump' ? [card('plain', 'Processes', String(processes.length), 'processes')] : []),
    card('plain', 'Memory', formatBytes(sizeOf(sumOf(memory))), 'memory'),
    ...(stats ? [card('plain', 'Frozen for', formatDuration(stats.frozenTimeMs), 'timings')] : []),
  ];
}

function facts(checkpoint: CheckpointDescription): Html {
  const { directory, kind, writtenAt, architecture, size, fileCount, parents } = checkpoint;
  const { host, criu, options } = checkpoint;
  const rows: [name: string, value: string | undefined][] = [
    ['directory', directory],
    ['kind', kind === 'dump' ? 'dump' : 'pre-dump: memory of a round before a dump'],
    ['written', formatTime(writtenAt)],
    ['host of the dump', host && `${host.name}, Linux ${host.kernel}`],
    ['CRIU of the dump', criu],
    ['architecture', architecture],
    ['images', `${formatBytes(size)} in ${counted(fileCount, 'file')}`],
    ['rounds before', parents.length > 0 ? String(parents.length) : undefined],
    ['options', options && optionsText(options)],
  ];
  return html`<table><tbody>${rows.map(([name, value]) =>
    value
      ? html`<tr><th scope="row">${name}</th><td>${clipped(value, 1000)}</td></tr>
`
      : undefined,
  )}</tbody></table>`;
}

function optionsText(options: Readonly<Record<string, unknown>>): string {
  return Object.entries(options)
    .map(([name, value]) => (value === true ? name : `${name}: ${JSON.stringify(value)}`))
    .join(', ');
}
