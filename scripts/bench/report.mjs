// The tables of npm run bench.
import { median, pairedRatio, quantile, ratioText } from './statistics.mjs';

const WARM = 'node-criu, prewarm';
const THREADS = 'node-criu, threads';
const CACHE = 'node-criu, cache';
const WARM_CACHE = 'node-criu, prewarm and cache';
/** On Node 20; newer ones load a module faster. */
const IMPORT_MS = process.versions.node.startsWith('20.') ? 15 : 12;
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
  ['restore, 1 MiB, `prewarm`', 'restore', WARM],
  ['processor time of the client per dump, 1 MiB', 'cpu, dump'],
  ['processor time of the client per dump, 1 MiB, `prewarm`', 'cpu, dump', WARM],
  ['processor time of the client per restore, 1 MiB', 'cpu, restore'],
  ['processor time of the client per restore, 1 MiB, `prewarm`', 'cpu, restore', WARM],
  ['dump, 1 MiB, /run not a tmpfs', 'dump 1, plain /run'],
  ['dump, 1 MiB, /run not a tmpfs, `prewarm`', 'dump 1, plain /run', WARM],
  ['dump, 1 MiB, /run not a tmpfs, `kernelCache`', 'dump 1, plain /run', CACHE],
  ['dump, 1 MiB, /run not a tmpfs, `prewarm` and `kernelCache`', 'dump 1, plain /run', WARM_CACHE],
  ['VERSION, heap of 2 GiB of small objects, busy half of the time', 'version, heap'],
  ...[32, 500].flatMap((processes) => [
    [`${processes} dumps, four at a time`, `throughput ${processes}`],
    [`${processes} dumps, four at a time, \`prewarm\``, `throughput ${processes}`, WARM],
    [`${processes} dumps, from four worker threads`, `throughput ${processes}`, THREADS],
  ]),
  ['longest stall of the event loop, dump of 256 MiB', 'stall'],
  ['import, over the interpreter alone', 'import'],
  ['import, memory', 'import, memory', 'node-criu', 'MiB'],
];

/** The rows of the README's table. */
const README = [
  ...['VERSION', 'VERSION, 1 GiB resident in the client', 'VERSION, `prewarm`'],
  ...['dump, 1 MiB', 'dump, 1 MiB, `prewarm`', 'restore, 1 MiB', 'restore, 1 MiB, `prewarm`'],
  '32 dumps, four at a time, `prewarm`',
];

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

/** Each with what it is measured by, and whether that is within it: of a ratio, whether its upper end is. */
function targets(measured) {
  const ours = (key, name = 'node-criu') => measured[key][name];
  const compared = (mine, theirs, most) => {
    const found = pairedRatio(mine, theirs);
    return [ratioText(found), found.high <= most];
  };
  const below = (value, most) => [amount(value, 'ms'), value <= most];
  const ratios = [
    ['VERSION', 'version', 1.02, 'libcriu'],
    ['dump of 1 MiB', 'dump 1', 1.08, 'libcriu'],
    ['restore of 1 MiB', 'restore', 1.05, 'libcriu'],
    ['dump of 256 MiB', 'dump 256', 1.02, 'criu'],
    ['dump of 1 MiB, prewarm', 'dump 1', 0.7, 'criu', WARM],
    ['restore of 1 MiB, prewarm', 'restore', 0.65, 'criu', WARM],
    ['VERSION, prewarm', 'version', 0.15, 'libcriu', WARM],
    ['32 dumps, four at a time, prewarm', 'throughput 32', 0.75, 'libcriu', WARM],
    ['dump of 1 MiB, /run not a tmpfs, prewarm', 'dump 1, plain /run', 0.25, 'criu', WARM_CACHE],
  ];
  const lines = [
    ...ratios.map(([what, key, most, peer, name]) => [
      `${what}: at most ${most} of ${peer === 'criu' ? 'the command' : peer}`,
      ...compared(ours(key, name), ours(key, peer), most),
    ]),
    [
      'VERSION with 1 GiB resident at most 1.1 of its own without',
      ...compared(ours('version, large'), ours('version'), 1.1),
    ],
    ['processor time per dump at most 1.2 ms', ...below(median(ours('cpu, dump')), 1.2)],
    ['no stall of the event loop over 1 ms, of all dumps', ...below(Math.max(...ours('stall')), 1)],
    [
      'for comparison: the longest while others dump and the client idles',
      amount(Math.max(...ours('stall', 'idle')), 'ms'),
      undefined,
    ],
    [
      `import at most ${IMPORT_MS} ms over Node’s own start`,
      ...below(median(ours('import')), IMPORT_MS),
    ],
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

function markdown(head, lines) {
  return [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
