// Tests of the public types of node-criu/guest, compiled as public.ts is.
import {
  type CopyIdentity,
  checkpoint,
  type GuestHookOptions,
  onAfterRestore,
  onBeforeCheckpoint,
  type RestoreEvent,
} from 'node-criu/guest';
import { same } from './same.ts';

export async function guest(connect: (url?: string) => Promise<void>): Promise<string> {
  const options: GuestHookOptions = { timeoutMs: 1000 };
  const remove: () => void = onBeforeCheckpoint(() => {}, options);
  remove();
  onAfterRestore(async ({ copy, env, args, restoredAt, aborted }: RestoreEvent) => {
    same<typeof copy, CopyIdentity | undefined>();
    same<typeof args, readonly string[]>();
    same<typeof restoredAt, number>();
    same<typeof aborted, string | undefined>();
    await connect(env.DATABASE_URL);
  });
  // @ts-expect-error: the hook is missing
  onAfterRestore();
  // @ts-expect-error: a number
  onBeforeCheckpoint(() => {}, { timeoutMs: '1' });
  const event = await checkpoint();
  same<typeof event, RestoreEvent | undefined>();
  return event?.copy?.name ?? event?.copy?.id ?? '';
}
