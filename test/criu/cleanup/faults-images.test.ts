import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildLibrary } from '../../helpers/built.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { sample, testSeed } from '../../helpers/sample.ts';

const MUTATIONS = sample('restores from mutated images', 2000, 200);
/** Restores that run concurrently, because a restore mostly waits. */
const PARTS = 4;
const SEED = testSeed(20_261_123);

/** The report of the fixture image-faults.mjs about one restore. */
interface Attempt {
  readonly kind: 'nothing' | 'missing' | 'truncated' | 'flipped' | 'noise' | 'longer';
  readonly file?: string;
  /** The restored root, or the root that a failed restore had created. */
  readonly pid?: number;
  /** The error: the name of its class, and its message. */
  readonly error?: string;
  readonly code?: string;
  readonly message?: string;
  readonly workload?: string;
  readonly cancelled?: string;
  /** The number of descriptors of the restored root. */
  readonly files?: number;
  /** For intact images: true if the process continues to count. */
  readonly counts?: boolean;
  /** Leaked processes, and the number of leaked descriptors. */
  readonly left: readonly { pid: number; status: string }[];
  readonly descriptors: number;
}

/** Images that CRIU takes for empty if they are missing: their content is lost silently. */
const notMissed = ['fdinfo', 'fifo-data', 'pipes-data', 'sk-queues', 'seccomp', 'timens'];

describe('a restore from damaged images', () => {
  let attempts: Attempt[];
  let directory: string | undefined;
  /** One image of each kind, such as `core`. */
  let kinds: string[];

  // In a pid namespace of its own every process that is left behind is visible, and no changed pid hits
  // another process. CRIU caches the features of the kernel in the tmpfs on /run.
  beforeAll(async () => {
    await buildLibrary();
    const [workload, reaper] = [await compileFixture('varied'), await compileFixture('reaper')];
    directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
    const parts = Array.from({ length: PARTS }, (_, part) => join(`${directory}`, String(part)));
    const said = await Promise.all(
      parts.map(async (place, part) => {
        await mkdir(place);
        return await attemptsIn(reaper, workload, place, part);
      }),
    );
    attempts = said.flatMap(([, ...rest]) => rest as Attempt[]);
    kinds = [
      ...new Set(said.flatMap(([first]) => (first as { files: string[] }).files.map(kindOf))),
    ];
  }, 300_000);

  afterAll(async () => {
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  test('is tried many times with every kind of image', () => {
    expect(kinds).toEqual(expect.arrayContaining(['core', 'files', 'mm', 'pages', 'pstree', 'fs']));
    expect(attempts).toHaveLength(MUTATIONS + kindsTried('missing').length + 2 * PARTS);
    expect(kindsTried('flipped')).toEqual(expect.arrayContaining(kinds));
  });

  test('succeeds with the intact images, before and after', () => {
    const intact = attempts.filter(({ kind }) => kind === 'nothing');
    expect(intact).toMatchObject(Array(2 * PARTS).fill({ counts: true }));
  });

  test('never leaves a process or a descriptor behind', () => {
    expect(
      attempts.filter(({ left, descriptors }) => left.length > 0 || descriptors !== 0),
    ).toEqual([]);
  });

  test('either succeeds, or rejects with a CriuError that has the cause and restores nothing', () => {
    for (const attempt of attempts) {
      if (attempt.error === undefined) {
        expect(attempt.pid, JSON.stringify(attempt)).toBeGreaterThan(1);
        continue;
      }
      expect(attempt, JSON.stringify(attempt)).toMatchObject({
        error: 'CriuError',
        code: expect.stringMatching(/^ERR_CRIU_(FAILED|EOF|TIMEOUT|PID_BUSY)$/),
        workload: 'gone',
      });
      expect(attempt.message).toMatch(/^restore: .{10,} \(nothing was restored\)$/s);
      // CRIU reads endlessly at the end of a truncated file: only the deadline ends that.
      if (attempt.code === 'ERR_CRIU_TIMEOUT') {
        expect(attempt.cancelled).toMatch(/^(killed|refused)$/);
      }
    }
  });

  test('fails if an image is missing, unless CRIU takes it for empty', async () => {
    const missing = attempts.filter(({ kind }) => kind === 'missing');
    for (const kind of kinds) {
      const of = missing.filter(({ file = '' }) => kindOf(file) === kind);
      const codes = of.map(({ code }) => code ?? 'none');
      expect(codes.length, kind).toBeGreaterThan(0);
      // With an image that CRIU takes for empty the restore may succeed or fail.
      const missed = !notMissed.includes(kind) && kind !== 'pages';
      const possible = missed ? /^ERR_CRIU_(FAILED|EOF)$/ : /^(none|ERR_CRIU_(FAILED|EOF))$/;
      for (const code of codes) expect(code, kind).toMatch(possible);
      const failure = 'ERR_CRIU_FAILED, or ERR_CRIU_EOF if criu crashes';
      await noteFault('restore', {
        fault: `${kind}.img missing`,
        error: missed ? failure : `none if CRIU takes it for empty; or ${failure}`,
        workload: missed ? 'nothing restored' : 'runs, without what was in it; or nothing restored',
        left: 'nothing',
      });
    }
    // CRIU notices at least missing pages of processes.
    expect(missing.some(({ file = '', error }) => kindOf(file) === 'pages' && error)).toBe(true);
    // A process without its descriptors keeps running, but cannot write its numbers.
    const ofFiles = missing.filter(({ file = '' }) => kindOf(file) === 'fdinfo');
    if (ofFiles.every(({ error }) => !error)) {
      expect(ofFiles.map(({ files }) => files)).toContain(0);
    }
  });

  test.each([
    ['truncated', 'truncated, each kind of image at random places'],
    ['flipped', 'with 1 to 8 bits flipped, each kind of image'],
    ['noise', 'with 8 bytes of noise, each kind of image'],
    ['longer', 'with noise at its end, each kind of image'],
  ] as const)('from %s images, some of which CRIU can do without', async (tried, fault) => {
    const all = attempts.filter(({ kind }) => kind === tried);
    expect(all.length).toBeGreaterThan(MUTATIONS / 20);
    const failed = all.filter(({ error }) => error !== undefined);
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(all.length);
    await noteFault('restore', {
      fault: `an image ${fault}`,
      error:
        'ERR_CRIU_FAILED; ERR_CRIU_EOF if it kills criu; ERR_CRIU_TIMEOUT if criu loops; or none',
      workload: 'nothing restored; or runs, if CRIU does not see the change',
      left: 'nothing',
    });
  });

  function kindsTried(tried: Attempt['kind']): string[] {
    return attempts.filter(({ kind }) => kind === tried).map(({ file = '' }) => kindOf(file));
  }
});

/** Runs the fixture in namespaces of its own, and returns its reports. */
async function attemptsIn(
  reaper: string,
  workload: string,
  directory: string,
  part: number,
): Promise<object[]> {
  const script = join(import.meta.dirname, '../../fixtures/image-faults.mjs');
  const numbers = [SEED + part, MUTATIONS / PARTS, part, PARTS];
  const given = [criuPath(), workload, directory, ...numbers].map(String);
  const prepared = 'mount -t tmpfs none /run && ip link set lo up && exec "$@"';
  const { stdout } = await execa(
    'unshare',
    [
      ...['--pid', '--fork', '--kill-child', '--mount-proc', '--net', '--ipc'],
      ...['sh', '-c', prepared, 'sh', reaper, process.execPath, script, ...given],
    ],
    { timeout: 290_000 },
  );
  return stdout.split('\n').map((line) => JSON.parse(line));
}

/** The kind of an image: `core` for `core-17.img`. */
function kindOf(file: string): string {
  return file.replace(/(-\d+)*\.img$/, '');
}
