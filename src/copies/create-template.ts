import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Cancellation } from '../concurrency/cancellation.ts';
import { unlessAborted } from '../concurrency/deadline.ts';
import { asCriuError, CriuError } from '../errors.ts';
import { argumentList, assertDirectory, programName } from '../launch/launch-options.ts';
import type { Client } from '../operations/client.ts';
import { checkValue } from '../options/check.ts';
import { descriptorOf } from '../options/kinds.ts';
import { locate } from '../worker/endpoint.ts';
import { dumpCopy } from './copy-dump.ts';
import { assertPlace } from './encrypted-template.ts';
import { awaitSign, describeSign, warmUp } from './readiness.ts';
import { Template } from './template.ts';
import {
  type CheckedTemplateOptions,
  checkTemplateOptions,
  type TemplateOptions,
} from './template-options.ts';
import { TemplateProgram } from './template-program.ts';

const OPERATION = 'template';

/** Starts a program in namespaces of its own, waits until it is ready, and makes a checkpoint of it. */
export async function createTemplate(
  client: Client,
  file: string,
  args: readonly string[],
  given: TemplateOptions,
): Promise<Template> {
  const options = checkTemplateOptions(OPERATION, given);
  checkValue(OPERATION, 'file', programName, file);
  const checkedArgs = checkValue(OPERATION, 'args', argumentList, args);
  using cancellation = new Cancellation(OPERATION, options);
  cancellation.throwIfRequested();
  await assertDirectory(OPERATION, options.cwd);
  await assertPlace(OPERATION, options);
  // A missing criu is reported before the program is started.
  await locate(OPERATION, client);
  const program = await TemplateProgram.start(OPERATION, file, checkedArgs, options);
  try {
    await becomeReady(program, options, cancellation);
    return await checkpoint(client, program, [file, ...checkedArgs], options, cancellation);
  } catch (error) {
    const hasEnded = (error as CriuError).code === 'ERR_CRIU_NO_SUCH_PROCESS' && !program.isRunning;
    throw hasEnded ? await program.ended() : asCriuError(OPERATION, error);
  } finally {
    await deliverOutput(program, options).finally(() => program[Symbol.asyncDispose]());
  }
}

async function becomeReady(
  program: TemplateProgram,
  options: CheckedTemplateOptions,
  outer: Cancellation,
): Promise<void> {
  const { ready, readyTimeoutMs, warmUp: requests } = options;
  const sign = ready ? describeSign(ready) : 'it called checkpoint() of node-criu/guest';
  using cancellation = outer.within(readyTimeoutMs);
  const { signal } = cancellation;
  const work = (async () => {
    if (ready) await awaitSign(program, ready, signal);
    else await program.guest.requested({ signal });
    if (requests) await warmUp(program, requests, signal);
  })();
  const ended = program.ended().then((error) => {
    throw error;
  });
  try {
    await unlessAborted(signal, Promise.race([work, ended]));
  } catch (error) {
    outer.throwIfRequested();
    if (cancellation.reason) throw tooLate(program, readyTimeoutMs, sign);
    // The connection ends before the program.
    throw program.isRunning ? error : await program.ended();
  }
}

function tooLate({ pid }: TemplateProgram, ms: number, sign: string): CriuError {
  const message = `${OPERATION}: the program was not ready after ${ms} ms: not until then ${sign}`;
  return new CriuError('ERR_CRIU_TIMEOUT', message, { operation: OPERATION, pid });
}

async function checkpoint(
  client: Client,
  program: TemplateProgram,
  command: readonly string[],
  options: CheckedTemplateOptions,
  cancellation: Cancellation,
): Promise<Template> {
  const { imagesDirectory, overwrite = false, encryption } = options;
  const { namespaces, guestTimeoutMs, reportHandles } = options;
  const { mounts, files, external, guest } = program;
  // A program that has loaded the library before it became ready has said so by now.
  await nextTurn();
  const { greeting } = guest;
  const used = greeting && { language: greeting.language, version: greeting.version };
  const description = { command, namespaces, mounts, files, ...(used && { guest: used }) };
  const part = { client, description, external, guest: used && guest, reportHandles };
  const { signal } = cancellation;
  const place = { imagesDirectory, overwrite, ...(encryption && { encryption }) };
  await dumpCopy(part, program.pid, { ...place, guestTimeoutMs, signal });
  return await Template.open(OPERATION, client, imagesDirectory, encryption);
}

/** Writes what the program has written to where its starter wants it. */
async function deliverOutput(
  { output }: TemplateProgram,
  { stdout, stderr }: CheckedTemplateOptions,
): Promise<void> {
  const written = await output.read();
  await deliver(stdout, written.stdout);
  await deliver(stderr, written.stderr);
}

async function deliver(target: TemplateOptions['stdout'], bytes: Buffer): Promise<void> {
  if (target === undefined) return;
  if (typeof target !== 'string') {
    writeSync(descriptorOf(target) as number, bytes);
    return;
  }
  const file = await open(target, 'a', 0o600);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}
