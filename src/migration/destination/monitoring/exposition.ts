/** A value of a metric. */
export interface Sample {
  /** Labels and their values, which may be any text. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Observations, counted by size. */
export interface Histogram {
  /** The upper limits of the buckets, ascending. */
  readonly limits: readonly number[];
  /** How many observations are within each limit and above the one before it. */
  readonly counts: readonly number[];
  /** All observations. */
  readonly count: number;
  readonly sum: number;
}

/** A value, one for each value of a label, or one for each combination of several labels. */
export type MetricValue =
  | number
  | { readonly label: string; readonly of: Readonly<Record<string, number>> }
  | readonly Sample[];

interface Described {
  /** Without the prefix that all metrics of node-criu have. */
  readonly name: string;
  readonly help: string;
}

/** A metric with its current values. */
export type Metric = Described &
  (
    | { readonly type: 'counter' | 'gauge'; readonly value: MetricValue }
    | { readonly type: 'histogram'; readonly value: Histogram }
  );

/** The type of what {@link exposition} returns. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Metrics in the text format of Prometheus. Names, helps and the names of labels are ours and need no escapes. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(linesOf).join('');
}

function linesOf(metric: Metric): string {
  const { name, type, help } = metric;
  const full = `node_criu_${name}`;
  const samples =
    metric.type === 'histogram'
      ? histogramLines(full, metric.value)
      : valueLines(full, metric.value);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${samples.join('')}`;
}

function valueLines(full: string, value: MetricValue): string[] {
  if (typeof value === 'number') return [line(full, {}, value)];
  if ('label' in value) {
    return Object.entries(value.of).map(([one, count]) =>
      line(full, { [value.label]: one }, count),
    );
  }
  return value.map((sample) => line(full, sample.labels, sample.value));
}

function histogramLines(full: string, { limits, counts, count, sum }: Histogram): string[] {
  let within = 0;
  const buckets = limits.map((limit, index) => {
    within += counts[index] ?? 0;
    return line(`${full}_bucket`, { le: String(limit) }, within);
  });
  return [
    ...buckets,
    line(`${full}_bucket`, { le: '+Inf' }, count),
    line(`${full}_sum`, {}, sum),
    line(`${full}_count`, {}, count),
  ];
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
