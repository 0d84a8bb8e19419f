// @ts-check
// Prints what preflight finds, with the options of a command line of `criu dump` that zdtm.py made.
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
  }
  return options;
}

/** @param {string} text a number of bytes with the suffix M or G */
function bytesOf(text) {
  return Number.parseInt(text, 10) * (text.endsWith('G') ? 2 ** 30 : 2 ** 20);
}

const words = process.argv.slice(2);
const options = optionsOf(words);
// zdtm.py keeps there which options only the restore will get.
const [, restore = ''] = /'ropts': '([^']*)'/.exec(process.env.CR_CT_TEST_INFO ?? '') ?? [];
for (const name of ['tcpClose', 'tcpEstablished', 'mntnsCompatMode']) {
  options[name] ??= optionsOf(restore.split(' '))[name];
}

const pid = Number(words[words.indexOf('--tree') + 1]);
const [, test] = /\/dump\/(.*)\/\d+\/\d+$/.exec(options.imagesDirectory) ?? [];
const criu = new Criu({ path: criuPath() });
const outcome = await criu.preflight(pid, { ...options, deadlineMs: 30_000 }).then(
  (findings) => ({ findings }),
  (error) => ({ failure: error.message }),
);
console.log(JSON.stringify({ test, ...outcome }));
