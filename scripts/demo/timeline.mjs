// Draws a migration as its client saw it: how long each answer took, above the phases.

const WIDTH = 760;
const LEFT = 50;
const TOP = 40;
const HIGH = 130;
const COLOURS = ['#4878a8', '#d08030', '#6a9a58', '#a05878', '#7a7a9a', '#b8a038'];

/** An SVG with the gaps between answers over time, and the phases below. */
export function timeline({ result, phases, report }) {
  const [from, to] = [phases[0][1] - 200, phases.at(-1)[1] + 300];
  const x = (at) => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - 20);
  const answers = report.timeline.filter(([at, gap]) => at - gap < to && at > from);
  const most = Math.max(...answers.map(([, gap]) => gap), 1);
  const y = (gap) => TOP + HIGH - (gap / most) * HIGH;
  const bars = phases.map(([phase, at], index) => {
    const end = phases[index + 1]?.[1] ?? at;
    const width = Math.max(1, x(end) - x(at));
    const row = TOP + HIGH + 22 + index * 18;
    const label = x(at) + width + 6;
    const text = `${phase}${end > at ? ` ${end - at} ms` : ''}`;
    const place = label > WIDTH - 160 ? `x="${x(at) - 6}" text-anchor="end"` : `x="${label}"`;
    return [
      `<rect x="${x(at).toFixed(1)}" y="${row}" width="${width.toFixed(1)}" height="12" fill="${COLOURS[index % COLOURS.length]}"/>`,
      `<text ${place} y="${row + 10}">${text}</text>`,
    ].join('\n');
  });
  const lines = answers.map(([at, gap]) => {
    const [begin, end] = [Math.max(LEFT, x(at - gap)), x(at)];
    return `<path d="M${begin.toFixed(1)} ${TOP + HIGH}V${y(gap).toFixed(1)}H${end.toFixed(1)}V${TOP + HIGH}" fill="#4878a8" fill-opacity="0.25" stroke="#4878a8" stroke-width="0.5"/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${TOP + HIGH + 40 + phases.length * 18}" font-family="sans-serif" font-size="11">`,
    `<title>A ${result.mode} migration: what its client waited for, and what it did</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${LEFT}" y="22" font-weight="bold">${result.mode}: the time between two answers, longest ${report.longestGapMs.toFixed(0)} ms</text>`,
    `<text x="${LEFT - 6}" y="${TOP + 8}" text-anchor="end">${most.toFixed(0)} ms</text>`,
    `<text x="${LEFT - 6}" y="${TOP + HIGH}" text-anchor="end">0</text>`,
    `<path d="M${LEFT} ${TOP}V${TOP + HIGH}H${WIDTH - 20}" fill="none" stroke="#888"/>`,
    ...lines,
    ...bars,
    '</svg>\n',
  ].join('\n');
}
