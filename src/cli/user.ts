import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CriuError, type SpawnCheckpointableOptions } from '../index.ts';

/**
 * The ids of `USER` or `USER:GROUP`, which are names or numbers. Without a group, the user has all groups
 * that the system lists for it.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is no such user or group
 */
export async function idsOf(
  text: string,
): Promise<Pick<SpawnCheckpointableOptions, 'uid' | 'gid' | 'groups'>> {
  const [user = '', group] = text.split(':', 2);
  if (group !== undefined) return { uid: await userId(user), gid: await groupId(group) };
  const [gid, ...groups] = (await run('id', ['-G', user]))?.split(' ').map(Number) ?? [];
  if (gid === undefined)
    throw invalid(`user ${user} has no account: give its group, as ${user}:GROUP`);
  return { uid: await userId(user), gid, groups };
}

async function userId(user: string): Promise<number> {
  return isNumber(user) ? Number(user) : parsed(await run('id', ['-u', user]), `user ${user}`);
}

async function groupId(group: string): Promise<number> {
  if (isNumber(group)) return Number(group);
  return parsed((await run('getent', ['group', group]))?.split(':')[2], `group ${group}`);
}

function parsed(id: string | undefined, what: string): number {
  if (id === undefined || !isNumber(id)) throw invalid(`there is no ${what}`);
  return Number(id);
}

/** Both programs also know the users that are not in /etc/passwd. */
async function run(program: 'id' | 'getent', args: readonly string[]): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(program, [...args]).catch(() => ({ stdout: '' }));
  return stdout.trim() || undefined;
}

function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text);
}

function invalid(reason: string): CriuError {
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', `--user: ${reason}`, { option: 'user' });
}
