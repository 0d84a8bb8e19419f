import { native } from '../native/index.ts';
import type { Hooks } from '../options/hooks.ts';
import type { NotificationHandler } from './session.ts';

/** The hook of each notification, by CRIU's name of the notification. */
const hookOf = {
  'pre-dump': 'preDump',
  'post-dump': 'postDump',
  'network-lock': 'networkLock',
  'network-unlock': 'networkUnlock',
  'pre-restore': 'preRestore',
  'setup-namespaces': 'setupNamespaces',
  'post-setup-namespaces': 'postSetupNamespaces',
  'post-restore': 'postRestore',
  'pre-resume': 'preResume',
  'post-resume': 'postResume',
  'status-ready': 'statusReady',
  'orphan-pts-master': 'orphanPtsMaster',
  'query-ext-files': 'queryExtFiles',
} as const satisfies Record<string, keyof Hooks>;

/**
 * Returns a handler of notifications that calls the matching hooks.
 * @param directory where CRIU writes images, for the hooks of a dump
 */
export function callHooks(hooks: Hooks, directory: string): NotificationHandler {
  return async (notification, fds) => {
    const [fd] = fds;
    const hook = hookOf[notification.script as keyof typeof hookOf];
    const handedOver = hook === 'orphanPtsMaster' && hooks.orphanPtsMaster ? fd : undefined;
    for (const other of fds) if (other !== handedOver) native().close(other);
    try {
      await hooks.onNotify?.(notification);
    } catch (error) {
      if (handedOver !== undefined) native().close(handedOver);
      throw error;
    }
    switch (hook) {
      case undefined:
        return undefined;
      case 'queryExtFiles':
        return { external: checkExternal(await hooks.queryExtFiles?.()) };
      case 'orphanPtsMaster':
        if (handedOver === undefined) return undefined;
        native().release(handedOver);
        await hooks.orphanPtsMaster?.(handedOver);
        return undefined;
      case 'preDump':
      case 'postDump':
        await hooks[hook]?.(directory);
        return undefined;
      case 'setupNamespaces':
      case 'postRestore':
        await hooks[hook]?.(notification.pid ?? 0);
        return undefined;
      default:
        await hooks[hook]?.();
        return undefined;
    }
  };
}

/**
 * Returns a handler that refuses to serve pages once the images of a lazy dump were refused. CRIU would
 * serve them all the same, with the network of the processes unlocked, and roll back only afterwards.
 */
export function refuseToServe(handler: NotificationHandler): NotificationHandler {
  let refusal: { readonly cause: unknown } | undefined;
  return async (notification, fds) => {
    if (refusal && notification.script === 'status-ready') throw refusal.cause;
    try {
      return await handler(notification, fds);
    } catch (cause) {
      if (notification.script === 'post-dump') refusal = { cause };
      throw cause;
    }
  };
}

/** Checks the result of the hook queryExtFiles: a string would be sent letter by letter. */
function checkExternal(ids: unknown = []): readonly string[] {
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids;
  throw new TypeError(`queryExtFiles must return an array of strings, not ${typeof ids}`);
}
