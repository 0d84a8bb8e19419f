import { native } from '../native/index.ts';
import type { Hooks, Notification } from '../options/hooks.ts';
import type { NotificationAnswer, NotificationHandler } from './session.ts';

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
  return (notification, fds) => {
    const [fd] = fds;
    const hook = hookOf[notification.script as keyof typeof hookOf];
    const handedOver = hook === 'orphanPtsMaster' && hooks.orphanPtsMaster ? fd : undefined;
    for (const other of fds) if (other !== handedOver) native().close(other);
    if (!hooks.onNotify && !(hook && hooks[hook])) return undefined;
    return callOne(hooks, directory, { notification, hook, handedOver });
  };
}

/** A notification, its hook, and the descriptor that the hook is to own. */
interface HookCall {
  readonly notification: Notification;
  readonly hook: (typeof hookOf)[keyof typeof hookOf] | undefined;
  readonly handedOver: number | undefined;
}

async function callOne(
  hooks: Hooks,
  directory: string,
  { notification, hook, handedOver }: HookCall,
): Promise<NotificationAnswer> {
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
}

/**
 * Returns a handler that refuses to serve pages once the images of a lazy dump were refused. CRIU would
 * serve them all the same, with the network of the processes unlocked, and roll back only afterwards.
 */
export function refuseToServe(handler: NotificationHandler): NotificationHandler {
  let refusal: { readonly cause: unknown } | undefined;
  return (notification, fds) => {
    const { script } = notification;
    if (refusal && script === 'status-ready') throw refusal.cause;
    const handling = handler(notification, fds);
    if (script !== 'post-dump') return handling;
    return handling?.catch((cause) => {
      refusal = { cause };
      throw cause;
    });
  };
}

/** Calls several handlers one after the other; the last answer counts. */
export function chainHandlers(
  ...handlers: (NotificationHandler | undefined)[]
): NotificationHandler {
  return (notification, fds) => {
    let answering: ReturnType<NotificationHandler>;
    for (const handler of handlers) {
      if (!handler) continue;
      answering = answering
        ? answering.then(async (answer) => (await handler(notification, fds)) ?? answer)
        : handler(notification, fds);
    }
    return answering;
  };
}

/** Checks the result of the hook queryExtFiles: a string would be sent letter by letter. */
function checkExternal(ids: unknown = []): readonly string[] {
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids;
  throw new TypeError(`queryExtFiles must return an array of strings, not ${typeof ids}`);
}
