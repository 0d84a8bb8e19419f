import type { Server, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import { Criu } from '../../criu.ts';
import { CriuError } from '../../errors.ts';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { MigrationsHandlers } from '../../generated/types/node_criu/Migrations.ts';
import type { Objection } from '../../generated/types/node_criu/Objection.ts';
import type { OfferReply } from '../../generated/types/node_criu/OfferReply.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import { readOptions } from '../../options/check.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import type { How } from '../journal/incoming-journal.ts';
import { isMigrationId } from '../journal/journal.ts';
import { type Credentials, readCredentials } from '../protocol/credentials.ts';
import { hostFacts } from '../protocol/host-facts.ts';
import { checkOffered } from '../protocol/offered-options.ts';
import { PageListener } from '../protocol/page-listener.ts';
import { loadService, PROTOCOL, type Service, serverCredentials } from '../protocol/service.ts';
import { isMode, type Objecting, weigh } from './admission.ts';
import { type Answer, type CallAbout, handlersOf, peerOf } from './handlers.ts';
import { type Hosting, Incoming } from './incoming.ts';
import { recoverAll, recoverIncoming } from './recover.ts';
import {
  checkServeOptions,
  type IncomingMigration,
  type MigrationOffer,
  type MigrationPeer,
  requirePrivate,
  SERVE,
  type ServeMigrationsOptions,
} from './serve-options.ts';

/** Takes migrations; what has come runs on when it is closed. */
export interface MigrationServer extends AsyncDisposable {
  /** Where it listens. */
  readonly host: string;
  /** The port of the control. */
  readonly port: number;
  /** The port of the pages. */
  readonly pagePort: number;
  /** How the migrations stand that it has taken since it was started; of those that are over, the last 100. */
  readonly migrations: readonly IncomingMigration[];
  /**
   * Takes no more, and aborts what does not run yet. A copy that runs is served until it has all of its
   * memory, and runs on. Idempotent; resolves when all of that is done.
   */
  close(): Promise<void>;
}

/** How long a source may take to hear the last answer, in milliseconds. */
const LAST_ANSWERS_MS = 2000;
const MAX_FINISHED = 100;
const SAME = 'Use the same node-criu on both.';
/**
 * Lets processes of other hosts come to this one by {@link migrate}. What an earlier server in the
 * same directory has left unfinished is put right first.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_SYSTEM if it cannot listen
 */
export async function serveMigrations(options: ServeMigrationsOptions): Promise<MigrationServer> {
  const given = checkServeOptions(readOptions(SERVE, options));
  const { listen, directory, path, holdMs = 30_000, stallMs = 10_000 } = given;
  const credentials = await readCredentials(SERVE, listen.host, given.tls, given.insecure);
  await makePrivateDirectory(directory);
  await requirePrivate(directory);
  await recoverAll(directory);
  const service = await loadService();
  const pageListener = await PageListener.listen(
    listen.host,
    listen.pagePort ?? 0,
    credentials,
  ).catch((error: Error) => {
    throw cannotListen(listen.host, error);
  });
  const criu = new Criu(path === undefined ? {} : { path });
  const changed = ({ id, how }: Incoming) => {
    // Async, so that whatever it throws is caught here: between two steps it must stop neither.
    (async () => given.hooks?.changed?.({ id, ...how }))().catch(() => {});
  };
  const restore = given.restore ?? {};
  const hosting: Hosting = {
    ...{
      client: { path, defaults: {} },
      criu,
      directory,
      restore,
      pageListener,
      holdMs,
      stallMs,
      changed,
    },
  };
  return await new Host(hosting, given, credentials).listen(service);
}

class Host implements MigrationServer {
  readonly host: string;
  readonly pagePort: number;
  port = 0;
  readonly #hosting: Hosting;
  readonly #given: ServeMigrationsOptions;
  readonly #credentials: Credentials | undefined;
  readonly #incoming = new Map<string, Incoming>();
  /** Judges one offer after the other: what is promised to one is not there for the next. */
  readonly #offers = new SerialQueue();
  #server: Server | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    hosting: Hosting,
    given: ServeMigrationsOptions,
    credentials: Credentials | undefined,
  ) {
    this.host = given.listen.host;
    this.pagePort = hosting.pageListener.port;
    this.#hosting = hosting;
    this.#given = given;
    this.#credentials = credentials;
  }

  get migrations(): IncomingMigration[] {
    return [...this.#incoming.values()].map(({ id, how }) => ({ id, ...how }));
  }

  async listen(service: Service): Promise<this> {
    const { grpc, Migrations, options } = service;
    const server = new grpc.Server(options);
    server.addService(Migrations.service, this.#answers() as never);
    const credentials = this.#credentials
      ? serverCredentials(service, this.#credentials)
      : grpc.ServerCredentials.createInsecure();
    const { host, port } = this.#given.listen;
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    try {
      this.port = await new Promise<number>((resolve, reject) => {
        server.bindAsync(address, credentials, (error, bound) =>
          error ? reject(error) : resolve(bound),
        );
      });
    } catch (error) {
      await this.#hosting.pageListener[Symbol.asyncDispose]();
      throw cannotListen(host, error as Error);
    }
    this.#server = server;
    return this;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    // The offer that is weighed may be taken still; those after it are not.
    await this.#offers.idle();
    await Promise.allSettled([...this.#incoming.values()].map((incoming) => incoming.leave()));
    if (this.#server) await shutDown(this.#server);
    await this.#hosting.pageListener[Symbol.asyncDispose]().catch(() => {});
    await this.#hosting.criu.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #answers(): MigrationsHandlers {
    return handlersOf({
      offer: (call) => this.#offer(call),
      putImages: (call) => this.#putImages(call),
      about: (call, answer, isDecisive) => this.#about(call, answer, isDecisive),
    });
  }

  async #offer(call: ServerUnaryCall<OfferRequest__Output, OfferReply>): Promise<OfferReply> {
    const offer = call.request;
    const { id, protocol, program, mode, memory, pids } = offer;
    const objections: Objection[] = [];
    const object = objecting(objections);
    if (protocol !== PROTOCOL)
      object(`It speaks version ${protocol} of the agreement, and this host ${PROTOCOL}.`, SAME);
    if (!isMigrationId(id)) object('Its id is not one that a migration has.', 'Use migrate().');
    if (!isMode(mode)) object('It has a mode that this host does not know.', SAME);
    checkOffered(offer, (message) => object(message, SAME));
    const peer = peerOf(call);
    const known = { id, program, mode, memoryBytes: memory, pids };
    if (objections.length === 0) await this.#authorize(known, peer, object);
    if (objections.length > 0) return { objections };
    return await this.#offers.run(() => this.#weighed(offer, peer.fingerprint));
  }

  async #weighed(offer: OfferRequest__Output, peer: string): Promise<OfferReply> {
    const objections: Objection[] = [];
    if (this.#closing) {
      const message = 'This host is being closed.';
      return { objections: [{ message, remedy: 'Choose another, or try again later.' }] };
    }
    const open = [...this.#incoming.values()].filter(({ isOpen }) => isOpen);
    const host = await hostFacts(this.#hosting.criu, this.#hosting.directory);
    await weigh(this.#hosting, offer, { host, open }, objecting(objections));
    if (objections.length > 0) return { objections, host };
    const incoming = await Incoming.begin(this.#hosting, offer, peer);
    this.#incoming.set(incoming.id, incoming);
    this.#forgetFinished();
    return { objections, host, pagePort: this.pagePort, ...incoming.tokens };
  }

  /** What is over is in its journal. */
  #forgetFinished(): void {
    const finished = [...this.#incoming.values()].filter(({ isOpen }) => !isOpen);
    for (const { id } of finished.slice(0, -MAX_FINISHED)) this.#incoming.delete(id);
  }

  async #authorize(offer: MigrationOffer, peer: MigrationPeer, object: Objecting): Promise<void> {
    const { authorize = () => true } = this.#given;
    const ask = 'Ask who runs the destination.';
    try {
      const answer: unknown = await authorize(offer, peer);
      if (answer !== true) object('This host does not take it.', ask);
    } catch (error) {
      object(`This host does not take it, as its authorize has failed: ${textOf(error)}.`, ask);
    }
  }

  async #about<Request extends { id: string }>(
    call: CallAbout<Request>,
    answer: Answer<Request>,
    isDecisive: boolean,
  ): Promise<How> {
    const { id } = call.request;
    const incoming = this.#find(id, call);
    if (!incoming) {
      // It may be of an earlier server.
      if (!isMigrationId(id)) throw new Error('there is no such migration');
      return await recoverIncoming(this.#hosting.directory, id);
    }
    incoming.heard();
    const how = await answer(incoming, call.request);
    if (isDecisive && !call.cancelled) incoming.told();
    return how;
  }

  async #putImages(call: ServerReadableStream<ImagePart__Output, How>): Promise<How> {
    const parts = call[Symbol.asyncIterator]() as AsyncIterator<ImagePart__Output>;
    const { value: first } = await parts.next();
    const { id = '', index = 0 } = first?.round ?? {};
    const incoming = this.#find(id, call);
    if (!incoming) throw new Error('there is no such migration');
    return await incoming.takeImages(index, call, parts);
  }

  /** A migration, for whoever has offered it. */
  #find(id: string, call: Parameters<typeof peerOf>[0]): Incoming | undefined {
    const incoming = this.#incoming.get(id);
    if (incoming && incoming.peer !== peerOf(call).fingerprint) {
      throw new Error('it is the migration of another');
    }
    return incoming;
  }
}

/** Lets sources hear what was answered last, and ends their connections. */
async function shutDown(server: Server): Promise<void> {
  const late = setTimeout(() => server.forceShutdown(), LAST_ANSWERS_MS);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(late);
}

function objecting(objections: Objection[]): Objecting {
  return (message, remedy) => objections.push({ message, remedy });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function cannotListen(host: string, cause: Error): CriuError {
  const message = `${SERVE}: cannot listen at ${host}: ${cause.message}`;
  return new CriuError('ERR_CRIU_SYSTEM', message, { operation: SERVE, cause });
}
