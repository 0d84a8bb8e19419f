import { statSync } from 'node:fs';

/**
 * The file that a process executes, as `DEVICE:INODE`: unlike the process's name, it does not depend on
 * what the file is called. Undefined if the process has ended or may not be read.
 */
export function programOf(pid: number): string | undefined {
  return fileId(`/proc/${pid}/exe`);
}

/** A file as `DEVICE:INODE`; undefined if there is none or it may not be read. */
export function fileId(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
