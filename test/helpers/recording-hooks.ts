import type { Hooks } from '../../src/index.ts';

/** Hooks that record their calls. Instances inherit the methods, which need `this`. */
export class RecordingHooks implements Hooks {
  readonly #called: string[] = [];

  /** The names of the hooks, in the order of their calls. */
  get called(): readonly string[] {
    return this.#called;
  }

  preDump() {
    this.#called.push('preDump');
  }

  statusReady() {
    this.#called.push('statusReady');
  }

  postDump() {
    this.#called.push('postDump');
  }

  preRestore() {
    this.#called.push('preRestore');
  }

  postRestore() {
    this.#called.push('postRestore');
  }
}
