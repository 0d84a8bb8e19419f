import type { FleetOperation, FleetOperationView, FleetStep } from '../fleet.ts';
import { exitCodes } from './exit-code.ts';
import type { FleetContext } from './fleet-connection.ts';
import type { Interrupted } from './interruption.ts';
import type { Output } from './output.ts';
import { formatBytes, formatDuration } from './quantities.ts';
import { counted, printable } from './text-layout.ts';

const ENDED: readonly string[] = ['done', 'failed', 'cancelled'];

/** Reports what is new of operations: each step when it ends, and when it has to wait. */
export class StepReporter {
  readonly #output: Pick<Output, 'step'>;
  readonly #isPrefixed: boolean;
  readonly #said = new Map<string, string>();

  /** @param isPrefixed if each line is to name its operation */
  constructor(output: Pick<Output, 'step'>, isPrefixed: boolean) {
    this.#output = output;
    this.#isPrefixed = isPrefixed;
  }

  report(view: FleetOperationView): void {
    const { id: operation, kind, target } = view;
    const prefix = this.#isPrefixed ? `${kind} ${target}: ` : '';
    for (const step of view.steps) {
      const text = stepText(step);
      if (text === undefined || this.#said.get(step.id) === text) continue;
      this.#said.set(step.id, text);
      const { workload, from, to, state, downtimeMs, message } = step;
      const facts = { operation, workload, from, to, downtimeMs, message };
      this.#output.step({ step: state, ...facts }, `${prefix}${printable(text)}`);
    }
  }
}

/** What is to be said of a step; nothing while it is under way. */
function stepText({ workload, from, to, state, downtimeMs, message }: FleetStep) {
  const stays = from === undefined ? `${workload} was not started` : `${workload} stays on ${from}`;
  if (state === 'failed') return `${stays}: ${message ?? 'it failed'}`;
  if (state === 'cancelled') return `${stays}: cancelled`;
  if (state === 'delayed') return `${workload} waits to be tried again: ${message ?? 'busy'}`;
  if (state !== 'done') return undefined;
  if (from === undefined) return `${workload} runs on ${to}`;
  const down = downtimeMs === undefined ? '' : `, down for ${formatDuration(downtimeMs)}`;
  return `${workload} moved from ${from} to ${to}${down}`;
}

/**
 * Reports an operation until its end, or with `isDetached` only its id. Ctrl-C ends the command and not the operation.
 * The exit code is 1 unless all steps are done and no workload is left.
 */
export async function follow(
  { output, signal, interruption }: FleetContext,
  operation: FleetOperation,
  isDetached: boolean | undefined,
): Promise<void> {
  const { id } = operation;
  if (isDetached) {
    output.result({ operation: id }, id);
    return;
  }
  interruption.react([
    {
      message: `the operation goes on; to cancel it, run: node-criu fleet cancel ${id}`,
      action: (by) => interruption.cancel(by),
    },
  ]);
  const view = await lastView(operation, output, signal);
  if (view.endedAt === undefined) {
    const isTerminated = (signal.reason as Interrupted).by === 'SIGTERM';
    process.exitCode = isTerminated ? exitCodes.terminated : exitCodes.interrupted;
  } else if (view.state !== 'done' || view.unplaced.length > 0) {
    process.exitCode = exitCodes.failed;
  }
  output.result({ operation: view }, summaryOf(view));
}

/** The view at the end, or when the signal aborts. */
async function lastView(
  operation: FleetOperation,
  output: Output,
  signal: AbortSignal,
): Promise<FleetOperationView> {
  const steps = new StepReporter(output, false);
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  // The views say that it has ended half a second later; if they fail, they say why.
  const ended = operation.ended().catch(() => new Promise<never>(() => {}));
  const views = operation[Symbol.asyncIterator]();
  let last = await operation.view();
  for (;;) {
    // The result says what has become of a single step.
    if (last.steps.length > 1 || last.endedAt === undefined) steps.report(last);
    if (last.endedAt !== undefined || signal.aborted) return last;
    const { facts, text, part } = progressOf(last);
    output.progress(facts, text, part);
    const next = await Promise.race([
      views.next().then(({ value }) => value ?? last),
      ended,
      aborted,
    ]);
    if (!next) return last;
    last = next;
  }
}

/** How far an operation is: in steps, and for one that has a single step in bytes. */
function progressOf(view: FleetOperationView) {
  const { id: operation, steps, state } = view;
  const done = steps.filter((step) => ENDED.includes(step.state));
  const active = steps.filter((step) => step.state === 'active');
  const total = steps.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const moved = [...done.map(({ memoryBytes }) => memoryBytes), ...active.map(sentOf)];
  const bytes = moved.reduce((sum, size) => sum + size, 0);
  const facts = { operation, state, ended: done.length, active: active.length, bytes };
  const [first] = active;
  const current = first ? `${first.workload} ${phaseText(first)}` : 'waiting';
  const more = active.length > 1 ? `, and ${counted(active.length - 1, 'other')}` : '';
  const count = steps.length === 1 ? '' : `${done.length} of ${steps.length}: `;
  const part = total > 0 ? bytes / total : undefined;
  return { facts, text: printable(`${count}${current}${more}`), part };
}

function sentOf({ bytes, memoryBytes }: FleetStep): number {
  return Math.min(bytes, memoryBytes);
}

function phaseText({ from, to, phase, bytes }: FleetStep): string {
  if (from === undefined) return `starts on ${to}`;
  const sent = bytes > 0 ? `, ${formatBytes(bytes)}` : '';
  return `${from} → ${to}${phase === undefined ? '' : ` (${phase})`}${sent}`;
}

/** What has become of an operation, in a line and one for those who stay. */
function summaryOf({ id, kind, steps, unplaced, state, endedAt }: FleetOperationView): string {
  if (endedAt === undefined) return `operation ${id} goes on`;
  const done = steps.filter((step) => step.state === 'done');
  const isStart = steps.some(({ from }) => from === undefined);
  const [only] = steps;
  const nowhere = kind === 'restart' ? 'not restarted' : 'no host for';
  const left = unplaced.length === 0 ? [] : [`${nowhere}: ${unplaced.join(', ')}`];
  if (steps.length === 1 && only) return [stepText(only) ?? state, ...left].join('\n');
  const counts = (['failed', 'cancelled'] as const).flatMap((each) => {
    const count = steps.filter((step) => step.state === each).length;
    return count === 0 ? [] : [`${count} ${each}`];
  });
  const verb = isStart ? 'started' : 'moved';
  return [[`${done.length} of ${steps.length} ${verb}`, ...counts].join(', '), ...left].join('\n');
}
