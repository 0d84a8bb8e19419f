// Draws the rounds of iterative dumps: what each has written, and how long it froze the processes,
// beside a dump at once.

const WIDTH = 760;
const PANEL = 190;
const BASE = 140;
const HIGH = 90;

/** An SVG with a panel for each workload. */
export function drawing(results) {
  const panels = results.map(({ workload, rows }, place) => {
    const [whole, ours] = rows;
    return panel(workload, whole, ours, place * PANEL);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${results.length * PANEL}" font-family="sans-serif" font-size="12">`,
    '<title>What the rounds of iterative dumps write, and how long they freeze the processes</title>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...panels,
    '</svg>\n',
  ].join('\n');
}

/** Two bars for each dump: bytes, and frozen time, each in proportion to the largest. */
function panel(workload, whole, ours, top) {
  const rounds = [
    { name: 'dump at once', ...whole.rounds[0] },
    ...ours.rounds.map((round, index) => ({
      name: index < ours.rounds.length - 1 ? `round ${index}` : 'dump',
      ...round,
    })),
  ];
  const most = (key) => Math.max(...rounds.map((round) => round[key]));
  const [bytes, frozen] = [most('bytes'), most('frozenMs')];
  const wide = (WIDTH - 40) / Math.max(rounds.length, 5);
  const bars = rounds.map((round, index) => {
    const x = 20 + index * wide;
    return [
      bar(x, round.bytes / bytes, '#4878a8', `${(round.bytes / 2 ** 20).toFixed(1)} MiB`),
      bar(x + wide * 0.42, round.frozenMs / frozen, '#d08030', `${Math.round(round.frozenMs)} ms`),
      `<text x="${x + wide * 0.4}" y="${BASE + 18}" text-anchor="middle">${round.name}</text>`,
    ].join('\n');
  });
  return [
    `<g transform="translate(0 ${top})">`,
    `<text x="20" y="20" font-weight="bold">${workload}</text>`,
    `<text x="${WIDTH - 20}" y="20" text-anchor="end"><tspan fill="#4878a8">written</tspan> <tspan fill="#d08030">frozen time</tspan></text>`,
    ...bars,
    '</g>',
  ].join('\n');

  function bar(x, part, colour, label) {
    const height = Math.max(1, part * HIGH);
    const middle = x + wide * 0.19;
    return [
      `<rect x="${x}" y="${BASE - height}" width="${wide * 0.38}" height="${height}" fill="${colour}"/>`,
      `<text x="${middle}" y="${BASE - height - 4}" text-anchor="middle" font-size="10">${label}</text>`,
    ].join('\n');
  }
}
