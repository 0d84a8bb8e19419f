import { randomFillSync } from 'node:crypto';
import type { createContext, RunningScriptInNewContextOptions, Script } from 'node:vm';

/** What vm.createContext takes: an object, or a constant. */
type Contextified = Parameters<typeof createContext>[0];
type Seed = (state: Int32Array) => void;

/**
 * Replaces Math.random of a context. Until `epoch[0]` changes, the function draws from the original, whose state V8
 * keeps for each context and nobody can set. From then on it draws from a generator of its own, xoshiro128++, that
 * it seeds after each change. The text of this function is also compiled in other contexts, so it refers to nothing
 * outside.
 */
function replaceIn(epoch: Uint32Array, seed: Seed, isReplaced: (random: unknown) => boolean) {
  const original = Math.random;
  // A function of the program is left alone.
  const isNative = Function.prototype.toString.call(original).includes('[native code]');
  if (!isNative || isReplaced(original)) return original;
  const state = new Int32Array(4);
  let seen = epoch[0];
  let isOriginal = seen === 0;
  const { random } = {
    random(): number {
      if (seen !== epoch[0]) {
        seen = epoch[0];
        isOriginal = false;
        seed(state);
      }
      if (isOriginal) return original();
      let a = state[0] as number;
      let b = state[1] as number;
      let c = state[2] as number;
      let d = state[3] as number;
      // Two steps, of which each gives 32 bits.
      let high = Math.imul(a + d, 128) | ((a + d) >>> 25);
      high = (high + a) | 0;
      let shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      let low = Math.imul(a + d, 128) | ((a + d) >>> 25);
      low = (low + a) | 0;
      shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      state[0] = a;
      state[1] = b;
      state[2] = c;
      state[3] = d;
      return ((high >>> 5) * 67_108_864 + (low >>> 6)) / 9_007_199_254_740_992;
    },
  };
  if (!isOriginal) seed(state);
  Object.defineProperty(Math, 'random', { value: random });
  return random;
}

/** Math.random of a thread: of its main context, and of the contexts that are created with node:vm. */
export class MathRandom {
  /** How often this thread was restored. */
  readonly #epoch = new Uint32Array(1);
  readonly #replaced = new WeakSet<object>();
  #script: Script | undefined;

  /** False if Math is frozen, as by the flag --frozen-intrinsics. */
  readonly canReseed = Object.getOwnPropertyDescriptor(Math, 'random')?.configurable === true;

  constructor() {
    if (!this.canReseed) return;
    this.#replaced.add(replaceIn(this.#epoch, this.#seed, this.#isReplaced));
    this.#watchContexts();
  }

  /** Makes all these functions draw from newly seeded generators. */
  reseed(): void {
    this.#epoch[0] = (this.#epoch[0] as number) + 1;
  }

  readonly #seed = (state: Int32Array) => void randomFillSync(state);
  readonly #isReplaced = (random: unknown) => this.#replaced.has(random as object);

  /** Replaces the functions of node:vm that create contexts. */
  #watchContexts(): void {
    const vm = process.getBuiltinModule('node:vm');
    const { createContext, isContext } = vm;
    const create = (object: Contextified, ...more: [object?]) => {
      // Node accepts a context and returns it as it is.
      const isOld = typeof object === 'object' && object !== null && isContext(object);
      const context = createContext(object, ...more);
      if (!isOld) this.#replaceInContext(context);
      return context;
    };
    vm.createContext = ((...args: [object]) => create(...args)) as typeof createContext;
    // The others are given a context, which they take as it is; they refuse wrong options.
    const created = (object: Contextified, options?: unknown) =>
      options === undefined || (typeof options === 'object' && options !== null)
        ? create(object, contextOptions(options))
        : object;
    const { runInNewContext } = vm;
    vm.runInNewContext = (code, object, options) =>
      runInNewContext(code, created(object, typeof options === 'string' ? {} : options), options);
    const { prototype } = vm.Script;
    const { runInNewContext: runScript } = prototype;
    prototype.runInNewContext = function (object, options) {
      return runScript.call(this, created(object, options), options);
    };
  }

  #replaceInContext(context: object): void {
    const { Script } = process.getBuiltinModule('node:vm');
    this.#script ??= new Script(`(${replaceIn})`, { filename: 'node-criu:math-random' });
    try {
      const replace: typeof replaceIn = this.#script.runInContext(context);
      this.#replaced.add(replace(this.#epoch, this.#seed, this.#isReplaced));
    } catch {
      // The object of the program has a Math of its own.
    }
  }
}

/** The options of vm.createContext that runInNewContext takes under other names. */
function contextOptions(options: RunningScriptInNewContextOptions = {}) {
  const { contextName, contextOrigin, contextCodeGeneration, microtaskMode } = options;
  return {
    ...(contextName !== undefined && { name: contextName }),
    ...(contextOrigin !== undefined && { origin: contextOrigin }),
    ...(contextCodeGeneration !== undefined && { codeGeneration: contextCodeGeneration }),
    ...(microtaskMode !== undefined && { microtaskMode }),
  };
}
