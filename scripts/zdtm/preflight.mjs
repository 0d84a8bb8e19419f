// @ts-check
// Prints what preflight finds before a dump or a restore, with the command line that zdtm.py has made for criu.
import { resolve } from 'node:path';
import { Criu } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';

/** Options without a value. @type {Record<string, string>} */
const flags = {
  '--tcp-established': 'tcpEstablished',
  '--tcp-close': 'tcpClose',
  '--skip-in-flight': 'tcpSkipInFlight',
  '--file-locks': 'fileLocks',
  '--link-remap': 'linkRemap',
  '--force-irmap': 'forceIrmap',
  '--ext-unix-sk': 'externalUnixConnections',
  '--ext-mount-map': 'autoExtMnt',
  '--enable-external-masters': 'extMasters',
  '--enable-external-sharing': 'extSharing',
  '--mntns-compat-mode': 'mntnsCompatMode',
};
/** @type {Record<string, string>} */
const texts = {
  '--root': 'root',
  '--cgroup-yard': 'cgroupYard',
  '--network-lock': 'networkLock',
};
/** @type {Record<string, string>} */
const lists = {
  '--external': 'external',
  '--enable-fs': 'enableFs',
  '--irmap-scan-path': 'irmapScanPaths',
};

/** @param {readonly string[]} words */
function optionsOf(words) {
  /** @type {Record<string, any>} */
  const options = {};
  for (const [index, word] of words.entries()) {
    const [name = '', attached] = word.split('=');
    const value = attached ?? words[index + 1] ?? '';
    const list = lists[name];
    if (flags[name]) options[flags[name]] = true;
    if (texts[name]) options[texts[name]] = value;
    if (list) options[list] = [...(options[list] ?? []), value];
    if (name === '--images-dir') options.imagesDirectory = resolve(value);
    if (name === '--manage-cgroups') options.manageCgroupsMode = attached ?? 'soft';
    if (name === '--ghost-limit') options.ghostLimit = bytesOf(value);
    if (name === '--join-ns') options.joinNs = [{ ns: 'net', nsFile: value.replace('net:', '') }];
    if (name === '--cgroup-root') options.cgRoot = { ...options.cgRoot, ...cgroupRoot(value) };
  }
  return options;
}

/** @param {string} text a number of bytes with the suffix M or G */
function bytesOf(text) {
  return Number.parseInt(text, 10) * (text.endsWith('G') ? 2 ** 30 : 2 ** 20);
}

/** @param {string} text a path, or a controller and a path */
function cgroupRoot(text) {
  const [path = '', controller = ''] = text.split(':').reverse();
  return { [controller]: path };
}

const [operation, ...words] = process.argv.slice(2);
const options = optionsOf(words);
const [, test] = /\/dump\/(.*)\/\d+\/\d+$/.exec(options.imagesDirectory) ?? [];
const criu = new Criu({ path: criuPath() });

async function preflight() {
  if (operation === 'restore') return await criu.preflightRestore(options);
  // zdtm.py keeps there which options only the restore will get.
  const [, later = ''] = /'ropts': '([^']*)'/.exec(process.env.CR_CT_TEST_INFO ?? '') ?? [];
  const { tcpClose, tcpEstablished, mntnsCompatMode } = optionsOf(later.split(' '));
  const ofRestore = Object.entries({ tcpClose, tcpEstablished, mntnsCompatMode });
  const given = Object.fromEntries(ofRestore.filter(([, value]) => value));
  return await criu.preflight(Number(words[words.indexOf('--tree') + 1]), { ...options, ...given });
}

const outcome = await preflight().then(
  (findings) => ({ [`${operation}Findings`]: findings }),
  (error) => ({ failure: `${operation}: ${error.message}` }),
);
console.log(JSON.stringify({ test, ...outcome }));
