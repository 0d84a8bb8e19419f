import type { CheckpointDescription } from '../../images.ts';
import { connectionGraph } from '../graph.ts';
import { clipped, type Html, html } from '../html.ts';
import { counted, formatBytes } from '../quantities.ts';
import { type Resource, type ResourceKind, resourcesOf } from '../resources.ts';

/** The most rows of the table, and the most descriptors in one. */
const MAX_ROWS = 400;
const MAX_USERS = 12;

const kinds: Readonly<Record<ResourceKind, string>> = {
  listening: 'listens',
  connection: 'network connection',
  outside: 'leads outside the tree',
  local: 'within the tree',
  file: 'file',
  rest: 'other',
};

/** What the processes have open, as a picture and as a table. */
export function connectionsSection(checkpoint: CheckpointDescription): Html {
  const resources = resourcesOf(checkpoint);
  if (resources.length === 0) return html`<p>No process has anything open.</p>`;
  const { picture, resourcesLeft, processesLeft } = connectionGraph(
    checkpoint.processes,
    resources,
  );
  const notes = [
    ...(resourcesLeft > 0 ? [`${resourcesLeft} less important things`] : []),
    ...(processesLeft > 0 ? [counted(processesLeft, 'process', 'processes')] : []),
  ];
  const shown = resources.slice(0, MAX_ROWS);
  const others = resources.length - shown.length;
  return html`
<ul class="legend">${Object.entries(kinds).map(([kind, name]) => html`<li><span class="key k-${kind}"></span> ${name}</li>`)}</ul>
${picture}
${notes.length > 0 ? html`<p class="note">${notes.join(' and ')} are not in the picture.</p>` : undefined}
<details><summary>All ${counted(resources.length, 'thing')} that the processes have open</summary>
<table><thead><tr><th>What</th><th></th><th>Descriptors</th><th class="n">Queued</th></tr></thead><tbody id="resource-rows">
${shown.map(row)}</tbody></table>
${others > 0 ? html`<p>${others} more; <code>node-criu show --files --sockets</code> lists all.</p>` : undefined}
</details>`;
}

function row({ kind, text, users, bytesQueued }: Resource): Html {
  const names = users.slice(0, MAX_USERS).map(({ pid, fd }) => `${pid}:${fd}`);
  const more = users.length > MAX_USERS ? ` and ${users.length - MAX_USERS} more` : '';
  return html`<tr class="row"><td><code>${clipped(text, 300)}</code></td><td>${kinds[kind]}</td><td>${names.join(' ')}${more}</td><td class="n">${bytesQueued > 0 ? formatBytes(bytesQueued) : '–'}</td></tr>
`;
}
