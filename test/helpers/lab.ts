import { onTestFinished } from 'vitest';
import { Lab } from '../lab/hosts.mjs';

/** Starts a lab that ends with the test; if the test fails, what its hosts do by then is printed. */
export async function startLab(): Promise<Lab> {
  const lab = await Lab.start();
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await lab.describe());
    await lab.close();
  });
  return lab;
}
