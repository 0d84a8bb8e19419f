// What is said of measurements that were taken in turns.

const RESAMPLES = 2000;

/** The value below which this part of all values is, between two of them in proportion. */
export function quantile(values, part) {
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place % 1);
}

export function median(values) {
  return quantile(values, 0.5);
}

/**
 * How many times longer the first takes than the second, by the median difference of those that were
 * measured in the same round, with its confidence interval of 95 % (percentile bootstrap over the rounds).
 */
export function pairedRatio(ours, theirs) {
  const differences = ours.map((value, round) => value - theirs[round]);
  const base = median(theirs);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(differences.map(() => differences[Math.floor(Math.random() * differences.length)])),
  );
  const ratio = (difference) => 1 + difference / base;
  return {
    ratio: ratio(median(differences)),
    low: ratio(quantile(medians, 0.025)),
    high: ratio(quantile(medians, 0.975)),
    difference: median(differences),
  };
}

/** A ratio with its confidence interval, for a table. */
export function ratioText({ ratio, low, high }) {
  return `${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** Measures all ways by turns, after a turn that warms up. Resolves with the values of each, by its name. */
export async function measureByTurns(ways, turns, measure) {
  const values = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let turn = 0; turn <= turns; turn++) {
    for (const [name, way] of Object.entries(ways)) {
      const value = await measure(way);
      if (turn > 0) values[name].push(value);
    }
  }
  return values;
}
