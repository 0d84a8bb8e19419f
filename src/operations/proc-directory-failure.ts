import type { ProcDirectory, Removal } from '../cleanup/proc-directory.ts';
import type { AbortReason } from '../failure/cause.ts';
import type { LogFile } from '../failure/log.ts';

/** What CRIU logs if the directory exists that it makes for /proc. */
const EXISTS = "Can't create a directory (-17)";

/**
 * Removes the directory that CRIU makes for /proc, after a failed dump, and explains the failure if the directory was the
 * cause.
 */
export async function cleanProcDirectory(
  directory: ProcDirectory,
  log: LogFile,
): Promise<{ readonly leftovers: readonly string[]; readonly reason?: AbortReason }> {
  if (!directory.isNeeded) return { leftovers: [] };
  const removal = await directory.remove();
  if (await log.says(EXISTS)) return { leftovers: [], reason: reasonOf(directory.path, removal) };
  if (removal.outcome !== 'failed') return { leftovers: [] };
  return { leftovers: [`the directory ${directory.path} (${removal.reason})`] };
}

function reasonOf(path: string, removal: Removal): AbortReason {
  const cause = `CRIU needs the name ${path} for a moment`;
  switch (removal.outcome) {
    case 'failed':
      return {
        code: 'ERR_CRIU_FAILED',
        text: `${cause}, and it exists: unmount what is mounted there, and remove it (${removal.reason})`,
      };
    case 'removed':
      return {
        code: 'ERR_CRIU_BUSY',
        text: `${cause}, and a dump whose process was killed had left it, which is removed now: dump again`,
      };
    default:
      return {
        code: 'ERR_CRIU_BUSY',
        text: `${cause}, and another dump of a process in this directory used it: make these dumps one after the other`,
      };
  }
}
