import { onTestFinished } from 'vitest';
import { removeCgroups } from '../lab/containers.mjs';
import { Lab } from '../lab/hosts.mjs';

/** Removes the cgroups of the containers of a lab once it is closed: call it before the lab is started, and the result after. */
export function removeCgroupsAfterLab(): (lab: Lab) => void {
  let directory: string | undefined;
  // What is registered last is called first.
  onTestFinished(async () => {
    if (directory !== undefined) await removeCgroups(directory);
  });
  return (lab) => {
    ({ directory } = lab);
  };
}

/** Starts a lab with this many hosts that ends with the test; if the test fails, what its hosts do by then is printed. */
export async function startLab(count = 2): Promise<Lab> {
  const lab = await Lab.start({ count });
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await lab.describe());
    await lab.close();
  });
  return lab;
}
