/** The directories of system administration programs: CRIU runs iptables-restore from PATH. */
const ADMIN_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The environment of this process, with the directories added to PATH that non-login shells lack. */
export function environment(): NodeJS.ProcessEnv {
  const path = process.env.PATH?.split(':') ?? [];
  const missing = ADMIN_DIRECTORIES.filter((directory) => !path.includes(directory));
  return { ...process.env, PATH: [...path, ...missing].join(':') };
}

/** The same as `NAME=value` each, as execve(2) takes it. */
export function environmentEntries(): string[] {
  return Object.entries(environment()).map(([name, value]) => `${name}=${value}`);
}
