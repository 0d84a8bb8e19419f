import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { checkServerIdentity } from 'node:tls';
import type { TlsOptions } from '../../../index.ts';
import { readTls } from '../../../options/tls.ts';
import { fleetFailure } from '../../failure.ts';
import { headerOf, openFiles, type SentFile } from './checkpoint-files.ts';
import { SENDER } from './checkpoint-server.ts';

/** Where a checkpoint goes to. */
export interface CheckpointTarget {
  /** The name of the host, which its certificate must have. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Who sends a checkpoint. */
export interface CheckpointSender {
  /** The name of this host. */
  readonly name: string;
  readonly tls: TlsOptions | undefined;
  readonly signal: AbortSignal;
}

const OPERATION = 'checkpoint';
/** The other host verifies all bytes before it answers: it is given up after so long without a sign, in milliseconds. */
const SILENCE_MS = 120_000;
const CHUNK = 256 << 10;
const MAX_ANSWER = 1000;

/**
 * Sends the files of a checkpoint to another host; resolves once they are on its disk.
 * @throws CriuError ERR_CRIU_FLEET
 */
export async function sendCheckpoint(
  id: string,
  directory: string,
  target: CheckpointTarget,
  sender: CheckpointSender,
): Promise<void> {
  await using files = await openFiles(directory);
  const bytes = files.reduce((sum, one) => sum + headerOf(one).length + one.size, 0);
  const request = await open(id, bytes, target, sender);
  let sent: Promise<void> = Promise.resolve();
  request.once('continue', () => {
    sent = pipeline(contentOf(files), request);
    // The answer is what counts: a refusal comes before everything is sent.
    sent.catch(() => {});
  });
  request.flushHeaders();
  try {
    const { status, text } = await answerOf(request);
    if (status === 201) return;
    throw new Error(`it answers ${status}: ${text}`);
  } catch (error) {
    const { message } = error as Error;
    throw fleetFailure(OPERATION, `${target.name} does not take ${id}: ${message}`, {
      cause: error,
    });
  } finally {
    request.destroy();
    await sent.catch(() => {});
  }
}

async function open(
  id: string,
  bytes: number,
  { name, host, port }: CheckpointTarget,
  sender: CheckpointSender,
): Promise<ClientRequest> {
  const { tls, signal } = sender;
  const common = {
    ...{ host, port, method: 'PUT', path: `/checkpoints/${id}`, signal, agent: false as const },
    headers: {
      ...{ 'content-length': bytes, expect: '100-continue' },
      // The receiver ends a connection that is not kept alive as soon as it has answered, which can cut its answer off.
      connection: 'keep-alive',
      ...(!tls && { [SENDER]: sender.name }),
    },
    timeout: SILENCE_MS,
  };
  if (!tls) return plainRequest(common);
  const { verifyName = true } = tls;
  return secureRequest({
    ...{ ...common, ...(await readTls(OPERATION, tls)), minVersion: 'TLSv1.2' as const },
    checkServerIdentity: (_host, certificate) =>
      verifyName ? checkServerIdentity(name, certificate) : undefined,
  });
}

async function answerOf(request: ClientRequest): Promise<{ status: number; text: string }> {
  request.on('timeout', () => request.destroy(new Error('it does not answer')));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text = (text + String(chunk)).slice(0, MAX_ANSWER);
  }
  return { status: response.statusCode ?? 0, text: text.replace(/\p{Cc}/gu, ' ') };
}

async function* contentOf(files: readonly SentFile[]): AsyncGenerator<Uint8Array> {
  for (const one of files) {
    yield headerOf(one);
    const { file, size } = one;
    if (size === 0) continue;
    const options = { start: 0, end: size - 1, autoClose: false, highWaterMark: CHUNK };
    yield* file.createReadStream(options) as AsyncIterable<Uint8Array>;
  }
}
