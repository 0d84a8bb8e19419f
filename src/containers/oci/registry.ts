import { CriuError } from '../../errors.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { type BlobSource, type BlobTarget, Digest, digestOf, type WrittenBlob } from './blobs.ts';
import type { RegistryPassword, RegistryToken } from './image-options.ts';
import { type Descriptor, MAX_MANIFEST, MEDIA } from './oci-types.ts';
import type { RegistryReference } from './registry-reference.ts';

/** How a registry is talked to. */
interface RegistryAccess {
  readonly auth?: RegistryPassword | RegistryToken | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface RegistryRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Buffer> | Buffer;
}

/** The kinds of manifests and indexes that are read. */
const ACCEPTED = [MEDIA.manifest, MEDIA.index, MEDIA.dockerManifest, MEDIA.dockerIndex].join(', ');
/** The media type of a blob on its way. */
const BYTES = 'application/octet-stream';

/**
 * An image in a repository of a registry, over its HTTP API. Source: the OCI distribution specification, spec.md, and
 * for tokens the distribution project's spec/auth/token.md.
 */
export class Registry implements BlobTarget, BlobSource {
  readonly #operation: string;
  readonly #reference: RegistryReference;
  readonly #access: RegistryAccess;
  /** What the registry has asked for, once it has. */
  #authorization: string | undefined;

  constructor(operation: string, reference: RegistryReference, access: RegistryAccess) {
    this.#operation = operation;
    this.#reference = reference;
    this.#access = access;
  }

  /** Uploads a blob while it is made: its digest goes with the last request. */
  async write(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<WrittenBlob> {
    const started = await this.#request('POST', this.#path('blobs/uploads/'), [202]);
    const digest = new Digest();
    const sent = await this.#request('PATCH', this.#location(started), [202, 204], {
      headers: { 'content-type': BYTES },
      body: digest.pass(chunks),
    });
    const { blob } = digest;
    const end = new URL(this.#location(sent));
    end.searchParams.set('digest', blob.digest);
    await this.#request('PUT', end.href, [201, 204]);
    return blob;
  }

  async finish(mediaType: string, content: Buffer): Promise<WrittenBlob> {
    const path = this.#path(`manifests/${this.#reference.version}`);
    const headers = { 'content-type': mediaType };
    await this.#request('PUT', path, [201], { headers, body: content });
    return { digest: digestOf(content), size: content.length };
  }

  async root(): Promise<{ descriptor: Descriptor; content: Buffer }> {
    const { version } = this.#reference;
    const response = await this.#get(`manifests/${version}`);
    const parts: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#body(response)) {
      size += chunk.length;
      if (size > MAX_MANIFEST) throw new BadStream('the manifest of the image is too large', 0);
      parts.push(chunk);
    }
    const content = Buffer.concat(parts);
    const digest = digestOf(content);
    if (version.startsWith('sha256:') && digest !== version) {
      throw new BadStream(`the manifest ${version} is damaged`, 0);
    }
    const mediaType = (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
    return { descriptor: { mediaType, digest, size }, content };
  }

  async *read({ digest, mediaType }: Descriptor): AsyncGenerator<Buffer, void> {
    const isManifest = ACCEPTED.includes(mediaType);
    yield* this.#body(await this.#get(`${isManifest ? 'manifests' : 'blobs'}/${digest}`));
  }

  async #get(path: string): Promise<Response> {
    const headers = { accept: path.startsWith('manifests/') ? ACCEPTED : BYTES };
    return await this.#request('GET', this.#path(path), [200], { headers });
  }

  async *#body(response: Response): AsyncGenerator<Buffer, void> {
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      }
    } catch (cause) {
      throw this.#failure(response.url, cause);
    }
  }

  #path(path: string): string {
    const { origin, repository } = this.#reference;
    return `${origin}/v2/${repository}/${path}`;
  }

  /** Where an upload goes on. */
  #location(response: Response): string {
    const location = response.headers.get('location');
    if (location === null) throw this.#error('it has not said where to upload to');
    const url = new URL(location, this.#reference.origin);
    if (url.protocol === 'http:' && !this.#reference.origin.startsWith('http:')) {
      throw this.#error(`it wants an upload without encryption to ${url.origin}`);
    }
    return url.href;
  }

  /** Sends a request, and again once the registry has said how to authenticate. */
  async #request(
    method: string,
    url: string,
    expected: readonly number[],
    request: RegistryRequest = {},
  ): Promise<Response> {
    // A body that is made while it is sent cannot be sent again, but uploads begin with a request without one.
    let response = await this.#send(method, url, request);
    const challenge = response.headers.get('www-authenticate');
    if (response.status === 401 && challenge !== null && this.#authorization === undefined) {
      await response.body?.cancel();
      this.#authorization = await this.#authenticate(challenge);
      response = await this.#send(method, url, request);
    }
    if (expected.includes(response.status)) return response;
    const text = (await response.text().catch(() => '')).replace(/\s+/g, ' ').slice(0, 200);
    throw this.#error(`${method} ${withoutQuery(url)}: ${response.status} ${text}`.trim());
  }

  async #send(method: string, url: string, { headers = {}, body }: RegistryRequest) {
    const isOwn = new URL(url).origin === this.#reference.origin;
    const authorization = isOwn ? this.#authorization : undefined;
    try {
      return await fetch(url, {
        ...{ method, headers: { ...headers, ...(authorization && { authorization }) } },
        // Node.js streams such a body in chunks.
        ...(body && { body: body as unknown as Uint8Array<ArrayBuffer>, duplex: 'half' }),
        ...(this.#access.signal && { signal: this.#access.signal }),
        // A redirect of a request that changes something would repeat it elsewhere.
        redirect: method === 'GET' ? 'follow' : 'manual',
      });
    } catch (cause) {
      throw this.#failure(url, cause);
    }
  }

  /** What to send with each request: a password, or a token that the registry's own service gives. */
  async #authenticate(challenge: string): Promise<string | undefined> {
    const { auth } = this.#access;
    if (auth !== undefined && 'token' in auth) return `Bearer ${auth.token}`;
    const basic =
      auth && `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
    if (!/^bearer /i.test(challenge)) return basic;
    const parameters = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    );
    const realm = parameters.get('realm');
    if (realm === undefined || !URL.canParse(realm)) throw this.#error('its realm is no URL');
    const url = new URL(realm);
    if (url.protocol !== 'https:' && url.origin !== this.#reference.origin) {
      throw this.#error(`it wants the password without encryption at ${url.origin}`);
    }
    for (const name of ['service', 'scope']) {
      const value = parameters.get(name);
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers = { ...(basic && { authorization: basic }) };
    const signal = this.#access.signal ?? null;
    const response = await fetch(url, { headers, signal }).catch((cause: unknown) => {
      throw this.#failure(url.href, cause);
    });
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    const token = answer.token ?? answer.access_token;
    if (response.ok && typeof token === 'string') return `Bearer ${token}`;
    throw this.#error(`${withoutQuery(url.href)} gives no token: ${response.status}`);
  }

  #failure(url: string, cause: unknown): CriuError {
    // The source of an upload has failed.
    for (let one = cause; one instanceof Error; one = one.cause) {
      if (one instanceof BadStream || one.constructor.name === 'CriuError') return one as CriuError;
    }
    const { signal } = this.#access;
    if (signal?.aborted) {
      const message = `${this.#operation}: cancelled by the signal`;
      const details = { operation: this.#operation, cause: signal.reason };
      return new CriuError('ERR_CRIU_ABORTED', message, details);
    }
    const { message, cause: inner } = cause as Error;
    const why = inner instanceof Error ? inner.message : message;
    return this.#error(`${withoutQuery(url)}: ${why}`, cause);
  }

  #error(what: string, cause?: unknown): CriuError {
    const { origin, repository } = this.#reference;
    const message = `${this.#operation}: the registry of ${new URL(origin).host}/${repository}: ${what}`;
    return new CriuError('ERR_CRIU_REGISTRY', message, { operation: this.#operation, cause });
  }
}

/** Uploads have secrets in the query. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*/, '');
}
