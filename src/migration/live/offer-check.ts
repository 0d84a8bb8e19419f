import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Criu } from '../../criu.ts';
import type { HostFacts__Output } from '../../generated/types/node_criu/HostFacts.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import type { Hosting } from './incoming.ts';

/** Notes what is in the way, and what would help. */
export type Objecting = (message: string, remedy: string) => void;

/** Whether what is offered can run here. */
export async function weigh(
  { criu, directory }: Pick<Hosting, 'criu' | 'directory'>,
  offer: OfferRequest__Output,
  host: HostFacts__Output,
  object: Objecting,
): Promise<void> {
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  if (offer.host?.architecture !== host.architecture) {
    object(
      `Its processor is ${offer.host?.architecture}, and this host's ${host.architecture}.`,
      'Choose a host with the same architecture.',
    );
  }
  if (offer.memory > host.freeMemory) {
    object(
      `It has ${mib(offer.memory)} of memory, and this host ${mib(host.freeMemory)} available.`,
      'Choose another host, or end something there.',
    );
  }
  if (offer.memory > host.freeDisk) {
    object(
      `It has ${mib(offer.memory)} of memory, and the disk of ${directory} ${mib(host.freeDisk)} free.`,
      'Make room on the destination, or give it another directory.',
    );
  }
  const lazy = offer.mode === 'post-copy' || offer.mode === 'hybrid';
  if (lazy && !host.lazyPages) {
    object(
      'This kernel has no userfaultfd, which post-copy and hybrid need.',
      "Use the mode 'pre-copy' or 'stop-and-copy'.",
    );
  }
  const taken = offer.pids.filter((pid) => isTaken(pid));
  if (taken.length > 0) {
    object(
      `The pids ${taken.join(', ')} are in use here.`,
      'Start the workload in a pid namespace of its own, or choose another host.',
    );
  }
  await compareProcessors(criu, offer.cpuinfo, object);
}

async function compareProcessors(
  criu: Criu,
  cpuinfo: Uint8Array,
  object: Objecting,
): Promise<void> {
  if (cpuinfo.length === 0) return;
  const imagesDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
  try {
    await writeFile(join(imagesDirectory, 'cpuinfo.img'), cpuinfo, { mode: 0o600 });
    await criu.cpuinfoCheck({ imagesDirectory });
  } catch (error) {
    const text = (error as Error).message.replace(/^\w+: /, '');
    object(
      `Its processor can do what this one cannot: ${text}.`,
      'Choose a host with the same processor, or give the dump cpuCap.',
    );
  } finally {
    await rm(imagesDirectory, { recursive: true, force: true });
  }
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
