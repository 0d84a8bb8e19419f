// The tables of npm run bench.
import { median, pairedRatio, quantile } from './statistics.mjs';

const WARM = 'node-criu, prewarm';
const PEERS = ['criu', 'libcriu', 'go-criu', 'pycriu'];

/** The rows: a name, what was measured, which of it is ours, and its unit. */
const rows = [
  ['VERSION', 'version'],
  ['VERSION, 1 GiB resident in the client', 'version, large'],
  ['FEATURE_CHECK', 'features'],
  ['dump, 1 MiB', 'dump 1'],
  ['dump, 256 MiB', 'dump 256'],
  ['restore, 1 MiB', 'restore'],
  ['VERSION, `prewarm`', 'version', WARM],
  ['dump, 1 MiB, `prewarm`', 'dump 1', WARM],
  ['32 dumps, four at a time', 'throughput'],
  ['32 dumps, four at a time, `prewarm`', 'throughput', WARM],
  ['longest stall of the event loop, dump of 256 MiB', 'stall'],
  ['import, over the interpreter alone', 'import'],
  ['import, memory', 'import, memory', 'node-criu', 'MiB'],
];

/** The rows of the README's table. */
const README = ['VERSION', 'VERSION, 1 GiB resident in the client', 'VERSION, `prewarm`'];
README.push('dump, 1 MiB', 'dump, 256 MiB', 'restore, 1 MiB');

/** The tables in Markdown: three of docs/performance.md, and that of the README. */
export function tables(measured) {
  return {
    medians: medians(measured),
    spread: spread(measured),
    targets: targets(measured),
    readme: readme(measured),
  };
}

function readme(measured) {
  const lines = README.map((wanted) => {
    const [title, key, ours = 'node-criu'] = rows.find(([title]) => title === wanted);
    const times = measured[key];
    const values = [ours, 'libcriu', 'criu'].map((name) => amount(median(times[name]), 'ms'));
    return [title, ...values, ratio(times[ours], times.libcriu)];
  });
  return markdown(['', 'node-criu', 'libcriu', 'criu command', 'Ratio to libcriu'], lines);
}

function medians(measured) {
  const lines = rows.map(([title, key, ours = 'node-criu', unit = 'ms']) => {
    const times = measured[key];
    const values = [ours, ...PEERS].map((name) => times[name] && amount(median(times[name]), unit));
    const ratios = ['criu', 'libcriu'].map(
      (name) => times[name] && ratio(times[ours], times[name]),
    );
    return [title, ...values, ...ratios].map((cell) => cell ?? '–');
  });
  return markdown(['Median', 'node-criu', ...PEERS, 'to criu', 'to libcriu'], lines);
}

function spread(measured) {
  const lines = rows.map(([title, key, ours = 'node-criu', unit = 'ms']) => {
    const times = measured[key];
    const values = [ours, ...PEERS].map((name) =>
      times[name] ? amount(quantile(times[name], 0.95), unit) : '–',
    );
    return [title, times[ours].length, ...values];
  });
  return markdown(['95th percentile', 'Rounds', 'node-criu', ...PEERS], lines);
}

/** Each with what it is measured by, and whether that is within it. */
function targets(measured) {
  const ours = (key, name = 'node-criu') => measured[key][name];
  const compared = (mine, theirs, most) => {
    const found = pairedRatio(mine, theirs);
    return [ratioText(found), found.ratio <= most];
  };
  const below = (value, most) => [amount(value, 'ms'), value <= most];
  const lines = [
    [
      'VERSION at most 1.05 of libcriu’s',
      ...compared(ours('version'), ours('version', 'libcriu'), 1.05),
    ],
    [
      'VERSION with 1 GiB resident at most 1.1 of its own without',
      ...compared(ours('version, large'), ours('version'), 1.1),
    ],
    [
      'dump of 256 MiB at most 1.02 of the CLI’s',
      ...compared(ours('dump 256'), ours('dump 256', 'criu'), 1.02),
    ],
    ['with prewarm, VERSION under 1 ms', ...below(median(ours('version', WARM)), 1)],
    [
      'with prewarm, a dump of 1 MiB faster than the CLI’s',
      ...compared(ours('dump 1', WARM), ours('dump 1', 'criu'), 1),
    ],
    ['no stall of the event loop over 5 ms, of all dumps', ...below(Math.max(...ours('stall')), 5)],
    [
      'for comparison: the longest while others dump and the client idles',
      amount(Math.max(...ours('stall', 'idle')), 'ms'),
      undefined,
    ],
    ['import at most 30 ms over Node’s own start', ...below(median(ours('import')), 30)],
  ].map(([target, found, reached]) => [
    target,
    found,
    reached === undefined ? '–' : reached ? 'yes' : 'no',
  ]);
  return markdown(['Target', 'Measured', 'Reached'], lines);
}

function amount(value, unit) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

function ratio(ours, theirs) {
  return ratioText(pairedRatio(ours, theirs));
}

function ratioText({ ratio: found, low, high }) {
  return `${found.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function markdown(head, lines) {
  return [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
