import { describe, expect, test, vi } from 'vitest';
import { checkOptions } from '../../src/options/check.ts';
import { type Hooks, overrideHooks } from '../../src/options/hooks.ts';
import { operationOptions } from '../../src/options/operation-options.ts';
import { prepareRound, type RoundSettings } from '../../src/precopy/round-preparation.ts';
import { callHooks } from '../../src/protocol/hooks.ts';
import { failureOf } from '../helpers/failures.ts';
import { RecordingHooks } from '../helpers/recording-hooks.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** The steps at which CRIU waits, each with its hook and the arguments of the hook. */
const steps: readonly (readonly [script: string, hook: keyof Hooks, args: unknown[]])[] = [
  ['pre-dump', 'preDump', ['/images']],
  ['post-dump', 'postDump', ['/images']],
  ['network-lock', 'networkLock', []],
  ['network-unlock', 'networkUnlock', []],
  ['pre-restore', 'preRestore', []],
  ['setup-namespaces', 'setupNamespaces', [7]],
  ['post-setup-namespaces', 'postSetupNamespaces', []],
  ['post-restore', 'postRestore', [7]],
  ['pre-resume', 'preResume', []],
  ['post-resume', 'postResume', []],
  ['status-ready', 'statusReady', []],
  ['query-ext-files', 'queryExtFiles', []],
];

/** All hooks, and the record of their calls in order. */
function recorded() {
  const calls: unknown[][] = [];
  const names = [...steps.map(([, hook]) => hook), 'orphanPtsMaster', 'onNotify'];
  const hooks = Object.fromEntries(
    names.map((name) => [name, (...args: unknown[]) => void calls.push([name, ...args])]),
  );
  return { hooks: hooks as Hooks, calls };
}

test.each(steps)('%s calls %s, after onNotify', async (script, hook, args) => {
  const { hooks, calls } = recorded();
  const notification = { script, pid: 7 };
  await callHooks(hooks, '/images')(notification, []);
  expect(calls).toEqual([
    ['onNotify', notification],
    [hook, ...args],
  ]);
});

test.each(['pre-stream', '', 'constructor'])(
  'a step without a hook, %j, calls onNotify alone',
  async (script) => {
    const { hooks, calls } = recorded();
    expect(await callHooks(hooks, '/images')({ script }, [])).toBeUndefined();
    expect(calls).toEqual([['onNotify', { script }]]);
  },
);

test('without hooks, every step is acknowledged at once', () => {
  for (const [script] of steps) {
    expect(callHooks({}, '/images')({ script, pid: 7 }, [])).toBeUndefined();
  }
});

test('hooks are called as methods of their object', async () => {
  class Counting implements Hooks {
    #count = 0;
    get count() {
      return this.#count;
    }
    preDump() {
      this.#count++;
    }
  }
  const hooks = new Counting();
  checkOptions('dump', { hooks }, operationOptions);
  await callHooks(hooks, '/images')({ script: 'pre-dump' }, []);
  expect(hooks.count).toBe(1);
});

test('orphan-pts-master without a descriptor calls no hook', async () => {
  const orphanPtsMaster = vi.fn();
  await callHooks({ orphanPtsMaster }, '/images')({ script: 'orphan-pts-master' }, []);
  expect(orphanPtsMaster).not.toHaveBeenCalled();
});

test('the hook of a step is not called if onNotify throws', async () => {
  const cause = new Error('no');
  const preDump = vi.fn();
  const onNotify = () => Promise.reject(cause);
  await expect(
    callHooks({ onNotify, preDump }, '/images')({ script: 'pre-dump' }, []),
  ).rejects.toBe(cause);
  expect(preDump).not.toHaveBeenCalled();
});

describe('queryExtFiles', () => {
  const ask = (answer: unknown) => {
    const hooks = { queryExtFiles: () => answer } as Hooks;
    return callHooks(hooks, '/images')({ script: 'query-ext-files' }, []);
  };

  test('returns strings, or a promise of them', async () => {
    expect(await ask(['file[1:2]'])).toEqual({ external: ['file[1:2]'] });
    expect(await ask(Promise.resolve(['a', 'b']))).toEqual({ external: ['a', 'b'] });
    expect(await ask(undefined)).toEqual({ external: [] });
  });

  test.each([['file[1:2]'], [[5]], [{ 0: 'file[1:2]' }], [null]])(
    'must not answer %j',
    async (answer) => {
      await expect(ask(answer)).rejects.toThrow(/array of strings/);
    },
  );
});

describe('the check of hooks', () => {
  const check = (hooks: unknown) =>
    checkOptions('dump', { hooks: hooks as Hooks | undefined }, operationOptions);

  test('accepts every hook, and hooks that are undefined', () => {
    expect(() => check(recorded().hooks)).not.toThrow();
    expect(() => check(undefined)).not.toThrow();
    expect(() => check({ preDump: undefined })).not.toThrow();
  });

  test.each<[unknown, string, RegExp]>([
    [null, 'hooks', /an object of functions, not null/],
    [() => {}, 'hooks', /an object of functions/],
    ['preDump', 'hooks', /an object of functions/],
    [{ predump() {} }, 'hooks.predump', /did you mean hooks.preDump\?$/],
    [{ 'pre-dump'() {} }, 'hooks.pre-dump', /did you mean hooks.preDump\?$/],
    [{ preDump: true }, 'hooks.preDump', /a function, not true/],
    [{ onNotify: null }, 'hooks.onNotify', /a function, not null/],
  ])('refuses %o', async (hooks, option, message) => {
    const error = await failureOf(() => check(hooks));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'dump', option });
    expect(error.message).toMatch(message);
  });
});

describe('overriding hooks', () => {
  const run = async (hooks: Hooks) => {
    for (const script of ['pre-dump', 'post-dump'])
      await callHooks(hooks, '/images')({ script }, []);
  };

  test('keeps inherited methods and their this', async () => {
    const own = new RecordingHooks();
    const postDump = vi.fn();
    await run(overrideHooks(own, { postDump }));
    expect(own.called).toEqual(['preDump']);
    expect(postDump).toHaveBeenCalledOnce();
  });

  test('takes inherited methods for the overriding ones as well', async () => {
    const overriding = new RecordingHooks();
    const own = { preDump: vi.fn(), postDump: vi.fn() };
    await run(overrideHooks(own, overriding));
    expect(overriding.called).toEqual(['preDump', 'postDump']);
    expect(own.preDump).not.toHaveBeenCalled();
  });

  test('a round calls inherited methods of its own hooks, and of those of the iteration', async () => {
    const images = await temporaryDirectory();
    const [iteration, round] = [new RecordingHooks(), { postDump: vi.fn() }];
    const settings = { options: { imagesDirectory: images, hooks: iteration }, images };
    const given = { hooks: round };
    const prepared = await prepareRound('dump', settings as unknown as RoundSettings, 0, given);
    await run(prepared.options.hooks as Hooks);
    expect(iteration.called).toEqual(['preDump']);
    expect(round.postDump).toHaveBeenCalledOnce();
  });
});
