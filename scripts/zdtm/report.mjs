// @ts-check
// Prints what the tests that zdtm.sh has run say about preflight, and exits with 1 after a false alarm.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * @typedef {import('../../dist/index.js').PreflightFinding} Finding
 * @typedef {{
 *   test: string, dump?: number, restore?: number, step?: string, passed?: boolean, failure?: string,
 *   dumpFindings?: Finding[], restoreFindings?: Finding[]
 * }} Outcome
 */

/**
 * What the wrapper of criu and zdtm.py have recorded of each test that reached its dump.
 * @param {string} directory
 * @param {string} flavor
 */
async function outcomesOf(directory, flavor) {
  const [records, log] = await Promise.all([
    readFile(join(directory, `${flavor}.jsonl`), 'utf8').catch(() => ''),
    readFile(join(directory, `${flavor}.log`), 'utf8'),
  ]);
  /** @type {Map<string, Outcome>} */
  const outcomes = new Map();
  for (const text of records.split('\n').filter(Boolean)) {
    const record = JSON.parse(text);
    outcomes.set(record.test, { ...outcomes.get(record.test), ...record });
  }
  for (const [, test = '', step] of log.matchAll(
    /^[=# ]+ Test (\S+) (?:PASS|FAIL at (.*?)) [=#]+$/gm,
  )) {
    outcomes.set(test, { ...(outcomes.get(test) ?? { test }), passed: step === undefined, step });
  }
  return [...outcomes.values()].sort((one, other) => (one.test < other.test ? -1 : 1));
}

/** @param {Outcome} outcome */
const findings = ({ dumpFindings = [], restoreFindings = [] }) => [
  ...dumpFindings,
  ...restoreFindings,
];
/** @param {Outcome} outcome */
const errors = (outcome) => findings(outcome).filter(({ severity }) => severity === 'error');
/** @param {Outcome} outcome */
const restored = ({ dump, restore }) => dump === 0 && restore === 0;
/** @param {Outcome} outcome */
const failed = ({ dump, restore }) => (dump ?? 0) !== 0 || (restore ?? 0) !== 0;

/** @type {Record<string, (outcome: Outcome) => boolean>} */
const columns = {
  'dumped and restored': restored,
  'false alarms': (outcome) =>
    restored(outcome) && outcome.passed === true && errors(outcome).length > 0,
  'changed by it': (outcome) => restored(outcome) && outcome.passed === false,
  failed,
  foretold: (outcome) => failed(outcome) && errors(outcome).length > 0,
  warned: (outcome) =>
    failed(outcome) && errors(outcome).length === 0 && findings(outcome).length > 0,
  'not foretold': (outcome) => failed(outcome) && findings(outcome).length === 0,
  'preflight failed': ({ failure }) => failure !== undefined,
};
const listed = ['false alarms', 'changed by it', 'warned', 'not foretold', 'preflight failed'];

/** @param {Outcome} outcome */
function describe(one) {
  const { test, dump, restore, failure } = one;
  const outcome =
    dump !== 0 ? 'the dump failed' : restore !== 0 ? 'the restore failed' : 'restored';
  const found = findings(one).map(
    ({ severity, code, pid, fd, message }) =>
      `    ${severity} ${code}: process ${pid}${fd === undefined ? '' : `, descriptor ${fd}`}: ${message}`,
  );
  return [`  ${test}: ${failure ?? outcome}`, ...new Set(found)].join('\n');
}

const directory = process.argv[2] ?? '.';
const flavors = (await readdir(directory)).flatMap((name) => name.match(/^(\w+)\.log$/)?.[1] ?? []);
/** @type {Record<string, Record<string, number>>} */
const table = {};
for (const flavor of flavors) {
  const outcomes = await outcomesOf(directory, flavor);
  const counted = Object.entries(columns).map(
    ([name, belongs]) => /** @type {const} */ ([name, outcomes.filter(belongs)]),
  );
  table[flavor] = Object.fromEntries([
    ['tests', outcomes.length],
    ...counted.map(([name, tests]) => [name, tests.length]),
  ]);
  for (const [name, tests] of counted) {
    if (!listed.includes(name) || tests.length === 0) continue;
    console.log(`Flavor ${flavor}, ${name}:\n${tests.map(describe).join('\n')}\n`);
  }
}
console.table(table);
const total = (/** @type {string} */ name) =>
  Object.values(table).reduce((sum, counts) => sum + (counts[name] ?? 0), 0);
if (total('tests') === 0) console.log('No test ran; see the logs in .cache/zdtm/results.');
process.exitCode = total('tests') === 0 || total('false alarms') > 0 ? 1 : 0;
