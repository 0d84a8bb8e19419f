/** Where system administration programs are: CRIU runs iptables-restore from PATH. */
const ADMIN_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The environment of criu: ours, with the directories on PATH that non-login shells lack. */
export function environment(): string[] {
  const path = process.env.PATH?.split(':') ?? [];
  const missing = ADMIN_DIRECTORIES.filter((directory) => !path.includes(directory));
  const env = { ...process.env, PATH: [...path, ...missing].join(':') };
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
