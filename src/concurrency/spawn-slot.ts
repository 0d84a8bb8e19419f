/** Resolves once the event loop has come round since the last start; undefined if it has. */
let since: Promise<void> | undefined;

/**
 * Waits for a turn to start a process. Starting takes the event loop a few milliseconds, until the
 * child runs its program; a hundred operations at once must not take it all of them in one go.
 */
export async function spawnSlot(): Promise<void> {
  while (since) await since;
  since = new Promise((resolve) => {
    setImmediate(() => {
      since = undefined;
      resolve();
    });
  });
}
