import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Criu } from '../../criu.ts';
import type { HostFacts__Output } from '../../generated/types/node_criu/HostFacts.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import { dotted } from '../../operations/probe.ts';
import { askedOf, tooNew } from '../protocol/offered-options.ts';
import { isLazy } from './arrival.ts';
import type { Hosting, Incoming } from './incoming.ts';

/** Notes what is in the way, and what would help. */
export type Objecting = (message: string, remedy: string) => void;

/** Each holds a journal, connections, and memory or disk. */
const MAX_OPEN = 64;
/** Of pids that are in use, for a message that can be read. */
const MAX_NAMED = 10;
const MODES: readonly string[] = ['stop-and-copy', 'pre-copy', 'post-copy', 'hybrid'];

/** Whether it is a mode of a migration. */
export function isMode(mode: string): boolean {
  return MODES.includes(mode);
}

/**
 * Whether what is offered can run here.
 * @param open what was taken before, and is not there yet
 */
export async function weigh(
  { criu, directory, restore }: Pick<Hosting, 'criu' | 'directory' | 'restore'>,
  offer: OfferRequest__Output,
  { host, open }: { readonly host: HostFacts__Output; readonly open: readonly Incoming[] },
  object: Objecting,
): Promise<void> {
  if (open.length >= MAX_OPEN) {
    object(
      `There are ${MAX_OPEN} migrations under way to this host.`,
      'Wait until one is over, or choose another host.',
    );
  }
  const memory = host.freeMemory - sum(open.map(memoryToCome));
  const disk = host.freeDisk - sum(open.map(diskToFill));
  const mib = (bytes: number) => `${Math.max(0, Math.ceil(bytes / 2 ** 20))} MiB`;
  if (offer.host?.architecture !== host.architecture) {
    object(
      `Its processor is ${offer.host?.architecture}, and this host's ${host.architecture}.`,
      'Choose a host with the same architecture.',
    );
  }
  const { criu: theirs = 0 } = offer.host ?? {};
  // Each minor version adds to the images what the one before does not know.
  if (Math.floor(theirs / 100) > Math.floor(host.criu / 100)) {
    object(
      `Its images come from CRIU ${dotted(theirs)}, and this host has ${dotted(host.criu)}, which may not know all that is in them.`,
      'Install the same CRIU on the destination, or a newer one.',
    );
  }
  if (offer.memory > memory) {
    object(
      `It has ${mib(offer.memory)} of memory, and this host ${mib(memory)} available${kept(open)}.`,
      'Choose another host, or end something there.',
    );
  }
  if (fillsDisk(offer) && offer.memory > disk) {
    object(
      `It has ${mib(offer.memory)} of memory, and the disk of ${directory} ${mib(disk)} free${kept(open)}.`,
      'Make room on the destination, or give it another directory.',
    );
  }
  if (isLazy(offer) && !host.lazyPages) {
    object(
      'This kernel has no userfaultfd, which post-copy and hybrid need.',
      "Use the mode 'pre-copy' or 'stop-and-copy'.",
    );
  }
  const { hooks: _, signal, deadlineMs, gracePeriodMs, ...own } = restore;
  const unknown = tooNew({ ...askedOf(offer), ...own }, host.criu);
  if (unknown) {
    object(
      `The option ${unknown.option} of its restore needs CRIU ${unknown.since}, and this host has ${dotted(host.criu)}.`,
      'Install a newer CRIU on the destination, or leave the option away.',
    );
  }
  const taken = offer.pids.filter((pid) => isTaken(pid));
  if (taken.length > 0) {
    object(
      `The pids ${taken.slice(0, MAX_NAMED).join(', ')}${taken.length > MAX_NAMED ? ' and others' : ''} are in use here.`,
      'Start the workload in a pid namespace of its own, or choose another host.',
    );
  }
  await compareProcessors(criu, offer, object);
}

async function compareProcessors(
  criu: Criu,
  { cpuinfo, ...offer }: OfferRequest__Output,
  object: Objecting,
): Promise<void> {
  if (cpuinfo.length === 0) return;
  const imagesDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
  try {
    await writeFile(join(imagesDirectory, 'cpuinfo.img'), cpuinfo, { mode: 0o600 });
    await criu.cpuinfoCheck({ imagesDirectory, ...(offer.hasCpuCap && { cpuCap: offer.cpuCap }) });
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

/** What a migration will take of the memory that is free now, in bytes. */
function memoryToCome({ how, offer }: Incoming): number {
  return how.state === 'receiving' || isLazy(offer) ? offer.memory : 0;
}

/** What it will take of the disk, in bytes. */
function diskToFill({ how, offer }: Incoming): number {
  return how.state === 'receiving' && fillsDisk(offer) ? offer.memory : 0;
}

/** Post-copy memory never touches it. */
function fillsDisk({ mode }: { readonly mode: string }): boolean {
  return mode !== 'post-copy';
}

function kept(open: readonly Incoming[]): string {
  return open.length > 0 ? ', besides what others that are on their way will need' : '';
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all + size, 0);
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
