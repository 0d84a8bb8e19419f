/** The directories of system administration programs: CRIU runs iptables-restore from PATH. */
const ADMIN_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The environment of this process, with the directories added to PATH that non-login shells lack. */
export function environment(): string[] {
  const path = process.env.PATH?.split(':') ?? [];
  const missing = ADMIN_DIRECTORIES.filter((directory) => !path.includes(directory));
  const env = { ...process.env, PATH: [...path, ...missing].join(':') };
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
