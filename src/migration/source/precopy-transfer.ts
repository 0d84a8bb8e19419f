import { join } from 'node:path';
import { dump } from '../../operations/dump.ts';
import type { Hooks } from '../../options/types.ts';
import { handOver } from './commit.ts';
import { failure, isOfHook } from './failures.ts';
import type { Outgoing } from './outgoing.ts';
import { copyInRounds } from './rounds.ts';

/** Stop-and-copy, and pre-copy: the copy runs when it has all of its memory. */
export async function moveMemoryFirst(outgoing: Outgoing, pagesFd: number): Promise<void> {
  const { id, pid, images, client } = outgoing;
  if (outgoing.mode === 'stop-and-copy') {
    const imagesDirectory = join(images, '0');
    await outgoing.ask('startRound', { id, index: 0 });
    const place = { imagesDirectory, pageServer: { fd: pagesFd } };
    await lastDump(outgoing, 0, imagesDirectory, (hooks) =>
      dump(client, 'dump', pid, { ...outgoing.dumpOptions(hooks), ...place }),
    );
    return;
  }
  await using iteration = await copyInRounds(outgoing, pagesFd, false);
  const index = outgoing.rounds;
  await outgoing.ask('startRound', { id, index });
  await lastDump(outgoing, index, join(images, String(index)), (hooks) =>
    iteration.dump(outgoing.dumpOptions(hooks)),
  );
}

/**
 * The dump by which it is decided: while its processes are frozen and its images complete, the copy
 * is made and let go, and only then CRIU is told to end them.
 */
async function lastDump(
  outgoing: Outgoing,
  index: number,
  directory: string,
  dumping: (hooks: Hooks) => Promise<unknown>,
): Promise<void> {
  await outgoing.beginDump();
  const own = outgoing.given.dump?.hooks;
  let moving: Promise<void> | undefined;
  const postDump = async () => {
    await own?.postDump?.();
    moving = handOver(outgoing, index, directory, false);
    await moving;
  };
  try {
    await dumping({ ...outgoing.followed(own), postDump });
  } catch (error) {
    const cut = moving ? undefined : outgoing.tunnel?.failure;
    // If criu has died the hook goes on without it, and what it comes to counts.
    outgoing.abort(error);
    const cause = await moving?.then(
      () => undefined,
      (cause: Error) => cause,
    );
    if (outgoing.copy?.state !== 'complete') {
      if (cut) throw failure(`the connection for pages has broken off: ${cut.message}`, error);
      throw (isOfHook(error) && cause) || error;
    }
    outgoing.original?.kill();
  }
}
