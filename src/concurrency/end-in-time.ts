const SIGTERM = 15;
const SIGKILL = 9;

/** How long a process may take to end at SIGTERM, in milliseconds. */
export const LINGER_MS = 5000;

/** Has a process end, by force if it lingers or is stopped; resolves when it is gone. */
export async function endInTime(
  signal: (number: number) => void,
  exited: Promise<unknown>,
): Promise<void> {
  signal(SIGTERM);
  const timer = setTimeout(() => signal(SIGKILL), LINGER_MS);
  await exited;
  clearTimeout(timer);
}
