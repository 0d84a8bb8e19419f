import { onTestFinished } from 'vitest';
import { Lab } from '../lab/hosts.mjs';

/** Starts a lab with this many hosts that ends with the test; if the test fails, what its hosts do by then is printed. */
export async function startLab(count = 2): Promise<Lab> {
  const lab = await Lab.start({ count });
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await lab.describe());
    await lab.close();
  });
  return lab;
}
