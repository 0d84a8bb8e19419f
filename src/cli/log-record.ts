/** The formats of standard error. */
export type LogFormat = 'text' | 'json';

/** Steps that an operator should look at. */
const warnings: readonly string[] = ['refused', 'not-authorized', 'aborted', 'failed', 'lost'];

/**
 * A line of a structured log: `time`, `level` and `event`, then what is known of `id`, `peer`, `bytes`,
 * `downtimeMs`, `code` and others.
 */
export function logRecord(event: string, properties: object): string {
  const level =
    event === 'error' ? 'error' : event === 'warning' || warnings.includes(event) ? 'warn' : 'info';
  const time = new Date().toISOString();
  const { peer, ...others } = properties as { peer?: string | { name?: string; address: string } };
  const name = typeof peer === 'object' ? (peer.name ?? peer.address) : peer;
  return `${JSON.stringify({ time, level, event, ...others, peer: name })}\n`;
}

/** Writes the warnings of the process as lines of a structured log. */
export function logWarnings(): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    process.stderr.write(logRecord('warning', { name, message }));
  });
}
