// Certificates for the hosts of the laboratory, as `node-criu cert` makes them.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Makes an authority and a certificate for each host; returns what `tls` takes, by their names. */
export function certificates(directory, hosts) {
  const lab = join(directory, 'certificates');
  const run = (...args) => execFileSync(process.execPath, [command, 'cert', ...args]);
  run('init', lab);
  const pathOf = (name) => join(lab, name);
  const made = hosts.map(({ name, address }) => {
    run('host', lab, name, address);
    const files = { ca: 'ca.pem', cert: `${name}.pem`, key: `${name}.key` };
    return [
      name,
      Object.fromEntries(Object.entries(files).map(([part, file]) => [part, pathOf(file)])),
    ];
  });
  return Object.fromEntries(made);
}
