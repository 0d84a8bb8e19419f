import { statSync } from 'node:fs';

/**
 * The file that a process executes, as `DEVICE:INODE`: unlike the process's name, it does not depend on
 * what the file is called. Undefined if the process has ended or may not be read.
 */
export function programOf(pid: number): string | undefined {
  try {
    const { dev, ino } = statSync(`/proc/${pid}/exe`);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
