import type { CheckpointDescription, DescribedFile, DescribedProcess } from '../../images.ts';
import { clipped, type Html, html } from '../html.ts';
import { sizeOf, sumOf } from '../memory-blocks.ts';
import { inTreeOrder, type ProcessInTree } from '../process-order.ts';
import { counted, formatBytes } from '../quantities.ts';

/** The most processes that are listed. */
const MAX_PROCESSES = 2000;
/** The most characters of a command line. */
const MAX_COMMAND = 240;
/** The most characters of all that opens below the processes; later ones have less to open. */
const MAX_DETAILS = 600_000;
/** The most variables, and the most descriptors, of a process, and the characters of each. */
const MAX_LINES = 100;
const MAX_LINE = 300;

/** The tree of processes, each of which opens. */
export function processesSection(
  { processes, files, kind }: CheckpointDescription,
  hasSecrets: boolean,
): Html {
  if (kind === 'pre-dump') {
    return html`<p>This is a round before a dump, which has memory and no processes.</p>`;
  }
  const byId = new Map(files.map((file) => [file.id, file]));
  const ordered = inTreeOrder(processes);
  let left = MAX_DETAILS;
  const rows = ordered.slice(0, MAX_PROCESSES).map((one) => {
    const whole = details(one.process, byId);
    const below = whole.text.length <= left ? whole : properties(one.process);
    left -= below === whole ? whole.text.length : 0;
    return row(one, below);
  });
  const others = ordered.length - rows.length;
  return html`
<p>${counted(processes.length, 'process', 'processes')} with ${counted(
    processes.reduce((sum, { threads }) => sum + threads.length, 0),
    'thread',
  )}. A process opens by Enter. ${
    hasSecrets
      ? 'Passwords, tokens and keys are shown.'
      : 'Passwords, tokens and keys are redacted where their names or forms show them.'
  }</p>
<div class="rows" id="process-rows">
${rows}</div>
${others > 0 ? html`<p>${others} more are not shown; <code>node-criu show --ps-tree-cmd</code> lists all.</p>` : undefined}`;
}

function row({ process, branches }: ProcessInTree, below: Html): Html {
  const { pid, name, args = [], threads, credentials } = process;
  const command = args.length > 0 ? args.map(asWord).join(' ') : name;
  const memory = sizeOf(sumOf(process.mappings));
  const notes = [
    ...stateNotes(process),
    ...(credentials ? [`uid ${credentials.euid}`] : []),
    ...(threads.length > 1 ? [`${threads.length} threads`] : []),
    ...(memory > 0 ? [formatBytes(memory)] : []),
  ];
  return html`<details class="row" id="p${pid}"><summary><span class="tree" aria-hidden="true">${branches}</span><b>${pid}</b> <code>${clipped(command, MAX_COMMAND)}</code> <small>${notes.join(', ')}</small></summary>${below}</details>
`;
}

const asWord = (text: string) =>
  /^[\w@%+=:,./[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

function stateNotes({ state, stopSignal, exitCode, exitSignal }: DescribedProcess): string[] {
  if (state === 'alive') return [];
  const how =
    exitSignal ?? stopSignal ?? (exitCode === undefined ? undefined : `exit code ${exitCode}`);
  return how === undefined ? [state] : [`${state} by ${how}`];
}

function properties(process: DescribedProcess): Html {
  const { name, program, workingDirectory, ppid, pgid, sid, bytesMapped, startedAt } = process;
  const rows = [
    ['name', name],
    ['program', program],
    ['working directory', workingDirectory],
    ['parent, group, session', `${ppid}, ${pgid}, ${sid}`],
    ['started', startedAt],
    ['mapped', formatBytes(bytesMapped)],
  ];
  return html`<dl>${rows.map(([title, value]) =>
    value === undefined ? undefined : html`<dt>${title}</dt><dd>${clipped(value, MAX_LINE)}</dd>`,
  )}</dl>`;
}

function details(process: DescribedProcess, files: ReadonlyMap<number, DescribedFile>): Html {
  const { descriptors, environment = [] } = process;
  const open = descriptors.map(({ fd, file }) => `${fd}  ${files.get(file)?.text ?? 'unknown'}`);
  return html`${properties(process)}${list('Descriptors', open)}${list('Environment', environment)}`;
}

function list(title: string, lines: readonly string[]): Html | undefined {
  if (lines.length === 0) return undefined;
  const shown = lines.slice(0, MAX_LINES).map(
    (line) => html`${clipped(line, MAX_LINE)}
`,
  );
  const others = lines.length - shown.length;
  return html`<h4>${title}</h4><pre>${shown}${others > 0 ? `… ${others} more` : ''}</pre>`;
}
