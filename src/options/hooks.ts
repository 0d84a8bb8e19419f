import type { Hooks } from './types.ts';

const names: { readonly [Name in keyof Required<Hooks>]: true } = {
  preDump: true,
  postDump: true,
  networkLock: true,
  networkUnlock: true,
  preRestore: true,
  setupNamespaces: true,
  postSetupNamespaces: true,
  postRestore: true,
  preResume: true,
  postResume: true,
  statusReady: true,
  orphanPtsMaster: true,
  queryExtFiles: true,
  onNotify: true,
};

/** The names of all hooks. */
export const hookNames = Object.keys(names) as readonly (keyof Hooks)[];

/**
 * Returns hooks of which some override others. Spreading would lose the methods that an object
 * inherits from its class, and `this`: each hook stays a method of the object that it comes from.
 */
export function overrideHooks(hooks: Hooks = {}, overriding: Hooks = {}): Hooks {
  const own = hookNames.flatMap((name) => {
    const owner = overriding[name] === undefined ? hooks : overriding;
    const hook: unknown = owner[name];
    return typeof hook === 'function' ? [[name, hook.bind(owner)]] : [];
  });
  return Object.fromEntries(own);
}
