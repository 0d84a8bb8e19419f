import { native } from '../native/index.ts';
import type { Hooks, Notification } from '../options/types.ts';

/** CRIU's name of each step that has a hook. */
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

/** Answers a notification; what it resolves to goes into the acknowledgement. */
export type Notified = (
  notification: Notification,
  fds: readonly number[],
) => Promise<{ external: readonly string[] } | undefined>;

/** Calls the hooks that a notification has. */
export function callHooks(hooks: Hooks): Notified {
  return async (notification, fds) => {
    const [fd] = fds;
    const hook = hookOf[notification.script as keyof typeof hookOf];
    const taken = hook === 'orphanPtsMaster' && hooks.orphanPtsMaster ? fd : undefined;
    for (const other of fds) if (other !== taken) native().close(other);
    try {
      await hooks.onNotify?.(notification);
    } catch (error) {
      if (taken !== undefined) native().close(taken);
      throw error;
    }
    switch (hook) {
      case undefined:
        return undefined;
      case 'queryExtFiles':
        return { external: checkExternal(await hooks.queryExtFiles?.()) };
      case 'orphanPtsMaster':
        if (taken === undefined) return undefined;
        native().release(taken);
        await hooks.orphanPtsMaster?.(taken);
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

/** What CRIU is told must be what the hook meant: not the letters of a string, say. */
function checkExternal(ids: unknown = []): readonly string[] {
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids;
  throw new TypeError(`it is to return an array of strings, not ${typeof ids}`);
}
