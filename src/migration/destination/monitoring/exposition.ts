/** A metric with its current values. */
export interface Metric {
  /** Without the prefix that all metrics of node-criu have. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** A value, or one for each value of a label. */
  readonly value:
    | number
    | { readonly label: string; readonly of: Readonly<Record<string, number>> };
}

/** The type of what {@link exposition} returns. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Metrics in the text format of Prometheus. Its counters and gauges take three lines; names, helps and labels
 * are ours and need no escapes.
 */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(linesOf).join('');
}

function linesOf({ name, type, help, value }: Metric): string {
  const full = `node_criu_${name}`;
  const samples =
    typeof value === 'number'
      ? [`${full} ${value}`]
      : Object.entries(value.of).map(([one, count]) => `${full}{${value.label}="${one}"} ${count}`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${samples.join('\n')}\n`;
}
