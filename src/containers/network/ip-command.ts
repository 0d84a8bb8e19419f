import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { namespacePath } from '../../procfs/namespaces.ts';

/**
 * Runs ip(8) of iproute2 with commands, each a line, in this network namespace or in that of a process.
 * @returns what it prints
 * @throws Error with what it says if a command fails, or it is not installed
 */
export async function ip(
  commands: readonly string[],
  { pid, flags = [] }: { readonly pid?: number; readonly flags?: readonly string[] } = {},
): Promise<string> {
  const call = ['ip', ...flags, '-batch', '-'];
  const entering = pid === undefined ? [] : ['nsenter', `--net=${namespacePath(pid, 'net')}`];
  const [program = 'ip', ...args] = [...entering, ...call];
  const child = spawn(program, args, { stdio: 'pipe' });
  child.stdin.on('error', () => {}).end(`${commands.join('\n')}\n`);
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, 'close').catch((cause: Error) => {
    throw new Error(`${program} of iproute2 and util-linux cannot be run: ${cause.message}`);
  });
  const [stdout, stderr] = await said;
  if (code === 0) return stdout;
  throw new Error(`ip: ${stderr.trim().split('\n')[0] || `it ended with ${code}`}`);
}

/** The answer of one command of ip(8) as JSON. */
export async function askIp(
  command: string,
  pid?: number,
  flags: readonly string[] = [],
): Promise<readonly unknown[]> {
  const answer = await ip([command], {
    ...(pid !== undefined && { pid }),
    flags: ['-json', '-details', ...flags],
  });
  const list: unknown = answer.trim() === '' ? [] : JSON.parse(answer);
  return Array.isArray(list) ? list : [];
}
