// Certificates for the hosts of the lab, made by `node-criu cert`.
//
// @ts-check
/** @import { Host } from './hosts.mjs' */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * Makes an authority and a certificate for each host; returns the `tls` option of each host by its name.
 * @param {string} directory
 * @param {readonly Host[]} hosts
 * @returns {Record<'a' | 'b', { ca: string, cert: string, key: string }>}
 */
export function certificates(directory, hosts) {
  const lab = join(directory, 'certificates');
  /** @param {readonly string[]} args */
  const run = (...args) => execFileSync(process.execPath, [command, 'cert', ...args]);
  run('init', lab);
  /** @param {string} name */
  const pathOf = (name) => join(lab, name);
  const made = hosts.map(({ name, address }) => {
    run('host', lab, name, address);
    const files = {
      ca: pathOf('ca.pem'),
      cert: pathOf(`${name}.pem`),
      key: pathOf(`${name}.key`),
    };
    return /** @type {const} */ ([name, files]);
  });
  return /** @type {Record<'a' | 'b', (typeof made)[0][1]>} */ (Object.fromEntries(made));
}
