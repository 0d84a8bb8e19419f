import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CriuError, withFindings } from '../../errors.ts';
import type { OfferReply__Output } from '../../generated/types/node_criu/OfferReply.ts';
import { undoneOf } from '../journal/outgoing-journal.ts';
import { hostFacts, lazySourceObstacle, treeFacts } from '../protocol/host-facts.ts';
import { startTimeOf, thisAgent } from '../protocol/identity.ts';
import { offeredOptions } from '../protocol/offered-options.ts';
import { PROTOCOL } from '../protocol/service.ts';
import { detailsOf, isAnswer, OPERATION, refusal } from './failures.ts';
import type { Outgoing } from './outgoing.ts';

/**
 * Offers the tree to the destination, before anything is touched.
 * @throws CriuError ERR_CRIU_MIGRATION_REFUSED with what is to be changed
 */
export async function makeOffer(outgoing: Outgoing): Promise<OfferReply__Output> {
  const { id, pid, given, progress } = outgoing;
  const { dump = {}, to } = given;
  const startTime = startTimeOf(pid);
  if (startTime === undefined) throw notSeen(pid);
  const [host, tree, cpuinfo] = await Promise.all([
    hostFacts(outgoing.criu, outgoing.images),
    treeFacts(pid),
    describeProcessor(outgoing),
  ]);
  outgoing.mode = given.mode ?? (host.memTrack ? 'pre-copy' : 'stop-and-copy');
  progress.totalBytes = tree.memory;
  await refuseHere(outgoing, host);
  const reply = await ask(outgoing, {
    ...{ protocol: PROTOCOL, id, mode: outgoing.mode, host, cpuinfo, ...tree },
    ...offeredOptions(dump),
  });
  if (reply.objections.length > 0) {
    const objections = reply.objections.map(({ message, remedy }) => `${message} ${remedy}`);
    throw refusal(`${to.host}:${to.port} does not take it: ${objections.join(' ')}`);
  }
  progress.mode = outgoing.mode;
  outgoing.undone = await undoneOf(dump);
  await outgoing.note('offered', {
    ...{ pid, startTime, to, mode: outgoing.mode, agent: thisAgent(), undone: outgoing.undone },
  });
  return reply;
}

function notSeen(pid: number): CriuError {
  const facts = { operation: OPERATION, pid };
  try {
    process.kill(pid, 0);
    const message = `${OPERATION}: cannot look at process ${pid} in /proc`;
    return new CriuError('ERR_CRIU_SYSTEM', message, facts);
  } catch {
    const message = `${OPERATION}: there is no process ${pid}`;
    return new CriuError('ERR_CRIU_NO_SUCH_PROCESS', message, facts);
  }
}

async function ask(outgoing: Outgoing, offer: object): Promise<OfferReply__Output> {
  const { host, port } = outgoing.given.to;
  // Several programs are started there before it is answered.
  const withinMs = 2 * outgoing.stallMs;
  return await outgoing.ask('offer', offer as never, withinMs).catch((error: Error) => {
    outgoing.throwIfAborted();
    const how = isAnswer(error) ? 'cannot take it' : 'does not answer';
    throw refusal(`${host}:${port} ${how}: ${detailsOf(error)}`, error);
  });
}

async function refuseHere(
  { mode, given, criu, pid }: Outgoing,
  { memTrack, lazyPages }: { readonly memTrack: boolean; readonly lazyPages: boolean },
): Promise<void> {
  const inRounds = mode === 'pre-copy' || mode === 'hybrid';
  if (inRounds && !memTrack) {
    throw refusal(
      `${mode} needs a kernel that tracks changed memory, and this one does not: use the mode 'stop-and-copy' or 'post-copy'`,
    );
  }
  if (mode === 'post-copy' || mode === 'hybrid') {
    const obstacle = lazyPages ? await lazySourceObstacle() : 'this kernel has no userfaultfd';
    if (obstacle) throw refusal(`${mode} is not possible: ${obstacle}`);
  }
  // Iterations look by themselves.
  if (inRounds) return;
  const { hooks, signal, deadlineMs, gracePeriodMs, ...options } = given.dump ?? {};
  const findings = await criu.preflight(pid, options as object);
  const [first] = findings.filter(({ severity }) => severity === 'error');
  if (!first) return;
  throw withFindings(refusal(`${first.message}. ${first.remedy}`), findings);
}

async function describeProcessor({ given, criu }: Outgoing): Promise<Buffer> {
  const imagesDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
  try {
    const { cpuCap } = given.dump ?? {};
    await criu.cpuinfoDump({ imagesDirectory, ...(cpuCap !== undefined && { cpuCap }) });
    return await readFile(join(imagesDirectory, 'cpuinfo.img'));
  } finally {
    await rm(imagesDirectory, { recursive: true, force: true });
  }
}
