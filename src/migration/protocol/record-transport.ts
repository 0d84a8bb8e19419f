import type { Socket } from 'node:net';
import { Duplex, type Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { descriptorOf } from '../../options/kinds.ts';
import { duplicateFd } from '../../process/duplicate-fd.ts';
import {
  RecordLog,
  recordSize,
  type Suite,
  suiteOf,
  type TrafficKeys,
  trafficKeys,
} from './tls-records.ts';

/** The labels of a client's secrets in 'keylog' events: for what it sends, and for what it receives. */
const LABELS = ['CLIENT_TRAFFIC_SECRET_0', 'SERVER_TRAFFIC_SECRET_0'];

/** The part of a TLS connection that follows the handshake, without the TLS of Node. */
export interface ReleasedConnection {
  /** A duplicate of the TCP socket, which the receiver owns. */
  readonly fd: number;
  /** Bytes from the peer that Node has read but not decrypted. */
  readonly unread: Buffer;
  readonly send: DirectionState;
  readonly receive: DirectionState;
}

/** The keys of one direction, and the sequence number of the next record. */
export interface DirectionState extends TrafficKeys {
  readonly sequence: number;
}

/** The transport that Node's TLS processes data of right now. */
let current: RecordTransport | undefined;
const transports = new WeakMap<Socket, RecordTransport>();

/**
 * Lies between a TCP socket and the TLS of Node, and passes whole records one at a time. After the
 * handshake, with all of its checks, and after everything that JavaScript exchanges, another can then
 * continue the connection exactly where Node stops, as kernel TLS does.
 */
export class RecordTransport extends Duplex {
  readonly #socket: Socket;
  readonly #sent = new RecordLog();
  readonly #received = new RecordLog();
  /** The labels of the secrets: for what is sent, and for what is received. */
  readonly #labels: readonly string[];
  readonly #secrets = new Map<string, Buffer>();
  /** Read from the socket, and not passed on yet. */
  #unread = Buffer.alloc(0);
  #isWanted = false;
  #hasEnded = false;
  #isReleased = false;

  constructor(socket: Socket, side: 'client' | 'server') {
    super();
    this.#socket = socket;
    this.#labels = side === 'client' ? LABELS : LABELS.toReversed();
    socket.on('readable', () => this.#passOn());
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#passOn();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** The transport whose data Node's TLS processes right now, in which it emits the events of a handshake. */
  static get current(): RecordTransport | undefined {
    return current;
  }

  /** The transport of a TLS connection, if it has one. */
  static of(peer: Socket): RecordTransport | undefined {
    return transports.get(peer);
  }

  /** The TCP socket. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Remembers that this is the transport of a TLS connection. */
  attach(peer: Socket): void {
    transports.set(peer, this);
  }

  /** Takes a secret of the connection: a line of a 'keylog' event. */
  addSecret(line: Buffer): void {
    const [label = '', , secret = ''] = String(line).trim().split(' ');
    if (LABELS.includes(label)) this.#secrets.set(label, Buffer.from(secret, 'hex'));
  }

  /** True if the connection of this transport can be released: TLS 1.3 with a cipher of AES-GCM or ChaCha20. */
  canRelease(peer: TLSSocket): boolean {
    const hasSecrets = LABELS.every((label) => this.#secrets.has(label));
    return !this.#socket.destroyed && hasSecrets && suiteOfConnection(peer) !== undefined;
  }

  /**
   * Ends the TLS of Node, without a word to the peer. All data that was written has to be on its way, and all
   * that was received read.
   * @throws Error if the connection has ended
   */
  release(peer: TLSSocket): ReleasedConnection {
    const keys = this.#keys(peer);
    const fd = descriptorOf(this.#socket);
    if (!keys || fd === undefined) throw new Error('the peer has hung up');
    const send = inSequence(this.#sent, keys.send);
    const receive = inSequence(this.#received, keys.receive);
    const duplicate = duplicateFd(fd);
    this.#isReleased = true;
    // Without listeners, read() does not pass the data to the TLS of Node.
    const unread = [...drain(this.removeAllListeners('data')), this.#unread];
    unread.push(...drain(this.#socket.removeAllListeners('readable')));
    this.#socket.destroy();
    peer.destroy();
    this.#forgetSecrets();
    return { fd: duplicate, unread: Buffer.concat(unread), send, receive };
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args);
    const before = current;
    current = this;
    try {
      this.#received.add(args[0] as Buffer);
      return super.emit(event, ...args);
    } finally {
      current = before;
    }
  }

  override _read(): void {
    this.#isWanted = true;
    this.#passOn();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    if (this.#isReleased) return done();
    this.#sent.add(chunk);
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    if (this.#isReleased) done();
    else this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    this.#forgetSecrets();
    done(error);
  }

  #forgetSecrets(): void {
    for (const secret of this.#secrets.values()) secret.fill(0);
    this.#secrets.clear();
  }

  /** Reads no more than its reader wants, so that a peer cannot fill the memory. */
  #passOn(): void {
    while (this.#isWanted && !this.#isReleased) {
      const size = this.#nextSize();
      if (size === 0 && !this.#readMore()) break;
      if (size === 0) continue;
      const next = this.#unread.subarray(0, size);
      this.#unread = this.#unread.subarray(size);
      // push() may call _read().
      this.#isWanted = false;
      if (this.push(next)) this.#isWanted = true;
    }
    if (this.#hasEnded && this.#unread.length === 0 && !this.readableEnded) this.push(null);
  }

  #readMore(): boolean {
    const chunk: Buffer | null = this.#socket.read();
    if (chunk) this.#unread = Buffer.concat([this.#unread, chunk]);
    return chunk !== null;
  }

  /** What does not begin a record is passed on as it is, so that the TLS of Node refuses it. */
  #nextSize(): number {
    const { length } = this.#unread;
    const size = recordSize(this.#unread);
    if (size === 'invalid' || this.#hasEnded) return length;
    return size !== undefined && size <= length ? size : 0;
  }

  /** The keys of both directions; undefined if another cannot continue with them. */
  #keys(peer: TLSSocket): { send: TrafficKeys; receive: TrafficKeys } | undefined {
    const suite = suiteOfConnection(peer);
    const [send, receive] = this.#labels.map((label) => this.#secrets.get(label));
    if (!suite || !send || !receive) return undefined;
    return { send: trafficKeys(suite, send), receive: trafficKeys(suite, receive) };
  }
}

function suiteOfConnection(peer: TLSSocket): Suite | undefined {
  return peer.getProtocol() === 'TLSv1.3' ? suiteOf(peer.getCipher().name) : undefined;
}

function inSequence(log: RecordLog, keys: TrafficKeys): DirectionState {
  const sequence = log.nextSequence(keys);
  if (sequence === undefined) throw new Error('the records of TLS cannot be counted');
  return { ...keys, sequence };
}

/** Reads all that a stream has buffered. One read() returns only the first buffer since Node 26. */
export function drain(stream: Readable): Buffer[] {
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
  return chunks;
}
