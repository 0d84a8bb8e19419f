// Bundles of runc with one program, which finds its libraries in /usr of this host.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Makes a root file system with the program in /bin. */
export function makeRoot(root, program) {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'usr', 'etc', 'tmp', 'run'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync(program, join(root, 'bin', basename(program)));
  for (const name of ['lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
}

/** A mount of a directory of this host at its own path. */
export function bindOf(path, ...options) {
  return { destination: path, type: 'bind', source: path, options: ['rbind', ...options] };
}

/** Writes a bundle whose program is executed with these arguments, its own path first. */
export function writeBundle(bundle, program, args, change = () => {}) {
  makeRoot(join(bundle, 'rootfs'), program);
  execFileSync('runc', ['spec', '--bundle', bundle]);
  const file = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  Object.assign(config.process, { terminal: false, args });
  config.root.readonly = false;
  config.mounts.push(bindOf('/usr', 'ro'));
  change(config);
  writeFileSync(file, JSON.stringify(config));
}
