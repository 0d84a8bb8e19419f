import { peerText } from '../../migration/protocol/peer-text.ts';
import { counted, formatTime } from '../../report/quantities.ts';
import type { RestartPlan } from './plan-restart.ts';
import { tableText, unplacedText } from './plan-text.ts';

/**
 * A plan of restarts as text for a terminal: which checkpoint of each workload goes on where, and what is lost and why. What
 * names contain that a terminal would interpret is escaped.
 */
export function formatRestartPlan({ restarts, unplaced }: RestartPlan): string {
  const lines: string[] = [];
  if (restarts.length === 0) lines.push('Nothing is restarted.');
  else {
    lines.push(`${counted(restarts.length, 'restart')}:`, '');
    const rows = restarts.map(({ workload, to, at, reason }, index) => [
      ...[String(index + 1), workload, to, timeText(at), reason],
    ]);
    lines.push(...tableText([['', 'workload', 'on', 'as it was at', 'why'], ...rows], [0]));
  }
  if (unplaced.length > 0) {
    lines.push('', `${counted(unplaced.length, 'workload')} not restarted:`, '');
    lines.push(...unplacedText(unplaced));
  }
  return `${lines.map((line) => peerText(line)).join('\n')}\n`;
}

/** A time, such as `2026-11-30T10:20:31Z`; the clock of the lost host may have been wrong. */
function timeText(at: number): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? 'unknown' : formatTime(time.toISOString());
}
