/** Prints when the phases of a migration began, and what came of it. @param report what the client has seen */
export function printTimeline({ result, phases, report }) {
  const start = phases[0][1];
  for (const [phase, at] of phases) console.log(`${String(at - start).padStart(6)} ms  ${phase}`);
  console.log('');
  const rows = {
    mode: result.mode,
    'rounds before the dump': result.rounds,
    'memory and images': `${(result.bytes / 2 ** 20).toFixed(1)} MiB`,
    'no copy ran for': `${result.downtimeMs.toFixed(0)} ms`,
    'longest gap for the client': `${report.longestGapMs.toFixed(0)} ms`,
    'answers, in order': report.answers,
    'connections of the client': report.connections,
    'memory is right': 'yes',
  };
  for (const [name, value] of Object.entries(rows))
    console.log(`${name.padEnd(28)}${String(value).padStart(16)}`);
}
