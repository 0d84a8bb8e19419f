import { open } from 'node:fs/promises';
import { native } from '../native/index.ts';
import { namespacePath } from '../procfs/namespaces.ts';

/** Brings up the loopback device of a process: CRIU makes an empty network namespace, in which it is down. */
export async function raiseLoopback(pid: number): Promise<void> {
  await using namespace = await open(namespacePath(pid, 'net'));
  native().raiseLoopback(namespace.fd);
}
