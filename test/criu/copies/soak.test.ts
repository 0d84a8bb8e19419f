import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { descendantsOf } from '../../../src/procfs/tree.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { askCopy, serverTemplate, startCopy, TEMPLATE_PORT, textOf } from '../../helpers/copies.ts';
import { guestImport } from '../../helpers/guest.ts';
import { nodePath } from '../../helpers/node-versions.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { sample } from '../../helpers/sample.ts';
import { client, isAlive, temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(buildLibrary);

/** How many values each copy draws. */
const VALUES = 1000;
const AT_ONCE = 5;

const drawing = `${guestImport}
  import { randomBytes, randomInt, randomUUID } from 'node:crypto';
  const draws = [
    () => randomUUID(),
    () => randomBytes(16).toString('hex'),
    () => Math.random(),
    () => crypto.getRandomValues(new BigUint64Array(2)).join(),
    () => randomInt(2 ** 47) * 2 ** 47 + randomInt(2 ** 47),
  ];
  // Fills what Node keeps in advance.
  for (const draw of draws) draw();
  await checkpoint();
  const values = Array.from({ length: ${VALUES} }, (_, index) => draws[index % draws.length]());
  process.stdout.write(values.join('\\n'), () => process.exit());`;

test('no two copies draw the same values', async () => {
  const count = sample('copies that draw random values', 1000, AT_ONCE);
  const template = await client().template(nodePath(24), ['--input-type=module', '-e', drawing], {
    imagesDirectory: join(await temporaryDirectory(), 'images'),
  });
  const values = new Set<string>();
  for (let copies = 0; copies < count; copies += AT_ONCE) {
    const texts = await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const copy = await template.start({ stdout: 'pipe' });
        const text = await textOf(copy.stdout);
        await copy.close();
        return text;
      }),
    );
    for (const value of texts.flatMap((text) => text.split('\n'))) values.add(value);
  }
  expect(values.size).toBe(count * VALUES);
}, 1_800_000);

test('copies in a row leave nothing', async () => {
  // Copies of other tests have directories in the common one.
  vi.stubEnv('TMPDIR', await temporaryDirectory());
  onTestFinished(() => void vi.unstubAllEnvs());
  const template = await serverTemplate();
  const run = async () => {
    const copy = await startCopy(template, { publish: [{ to: TEMPLATE_PORT }], stdout: 'pipe' });
    await askCopy(copy);
    const pids = descendantsOf(copy.pid);
    await copy.close();
    for (const pid of pids) expect(await isAlive(pid)).toBe(false);
  };
  await run();
  const before = await leftovers();
  const turns = sample('copies in a row', 100, 5);
  for (let turn = 0; turn < turns; turn++) await run();
  expect(await leftovers()).toEqual(before);
}, 600_000);

/**
 * Processes, descriptors, mounts, directories and cgroups. A namespace needs one of the first three: it ends with the
 * last process, descriptor or mount that has it.
 */
async function leftovers() {
  const scratch = await readdir(tmpdir());
  const cgroups = await readdir('/sys/fs/cgroup', { recursive: true });
  return {
    ...(await holdings()),
    mounts: await readFile('/proc/self/mountinfo', 'utf8'),
    scratch: scratch.filter((name) => name.startsWith('node-criu-copy-')),
    // Those of other tests come and go.
    cgroups: cgroups.filter(
      (name) => /criu|crtools/.test(name) && !/node-criu-(lab|test)/.test(name),
    ),
  };
}
