/** The version of the protocol, which the guest names in its hello. */
export const PROTOCOL = 1;

/** The longest line that either end accepts, in bytes, without its newline. */
export const MAX_LINE = 1024 * 1024;

/** The number of the guest's end of the connection, in the environment of a template's program. */
export const FD_VARIABLE = 'NODE_CRIU_GUEST_FD';

/** The pid of the process that has taken over the connection, for its Workers and children. */
export const PARTICIPANT_VARIABLE = 'NODE_CRIU_GUEST_PID';

/** Set to 1, it makes the guest record where handles are created. */
export const STACKS_VARIABLE = 'NODE_CRIU_GUEST_STACKS';

/** Something that the program has open and that a copy may not have, or not alone. */
export interface GuestHandle {
  /** Such as `listener`, `connection`, `file`, `pipe`, `worker`. */
  readonly kind: string;
  /** What it is, for people. */
  readonly detail: string;
  /** Where the program created it, if that was recorded. */
  readonly stack?: string;
}

/** Why a hook failed. */
export interface GuestFailure {
  readonly error: string;
  readonly stack?: string;
}

/** Which copy of the template this is. */
export interface CopyIdentity {
  /** Unique among the copies of all templates. */
  readonly id: string;
  /** The name that the copy was given. */
  readonly name?: string;
}

export interface GuestHello {
  readonly type: 'hello';
  readonly protocol: number;
  /** Such as `node`. */
  readonly language: string;
  /** The version of its runtime. */
  readonly version: string;
}

export interface CheckpointRequest {
  readonly type: 'checkpoint';
  /** How long the hooks may take, in milliseconds. */
  readonly timeoutMs?: number;
  readonly reportHandles?: boolean;
}

/** What is new in a copy. */
export interface RestoredMessage {
  readonly type: 'restored';
  readonly copy: CopyIdentity;
  /** Changes of the environment; null removes a variable. */
  readonly env?: Readonly<Record<string, string | null>>;
  /** Replaces the arguments of the program. */
  readonly args?: readonly string[];
  /** Milliseconds since 1970. */
  readonly restoredAt: number;
  /** The host name to set. The process must be in a UTS namespace of its own. */
  readonly hostname?: string;
  /** How long the hooks may take, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Continue: there is no checkpoint. */
export interface ResumeMessage {
  readonly type: 'resume';
  readonly reason: string;
}

/** Messages of the program. */
export type GuestMessage =
  | GuestHello
  | { readonly type: 'checkpoint-me' }
  | { readonly type: 'handles'; readonly handles: readonly GuestHandle[] }
  | { readonly type: 'ready' }
  | ({ readonly type: 'refused' } & GuestFailure)
  | { readonly type: 'running' }
  | ({ readonly type: 'failed' } & GuestFailure);

/** Messages of the process that makes the template, or that has restored the copy. */
export type HostMessage = CheckpointRequest | RestoredMessage | ResumeMessage;

/** One line. */
export function encodeMessage(message: GuestMessage | HostMessage): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}

/** Validates a line of the program, which may send anything. @throws Error */
export function parseGuestMessage(line: string): GuestMessage {
  const fields = new Fields(line);
  const type = fields.text('type');
  switch (type) {
    case 'hello': {
      const [protocol, language] = [fields.number('protocol'), fields.text('language')];
      return { type, protocol, language, version: fields.text('version') };
    }
    case 'checkpoint-me':
    case 'ready':
    case 'running':
      return { type };
    case 'refused':
    case 'failed':
      return { type, error: fields.text('error'), ...fields.optional('stack', 'text') };
    case 'handles':
      return { type, handles: fields.list('handles').map(handleOf) };
    default:
      throw fields.wrong('type');
  }
}

function handleOf(value: unknown): GuestHandle {
  const fields = new Fields(value);
  const [kind, detail] = [fields.text('kind'), fields.text('detail')];
  return { kind, detail, ...fields.optional('stack', 'text') };
}

/** Validates a line of the host. @throws Error */
export function parseHostMessage(line: string): HostMessage {
  const fields = new Fields(line);
  const type = fields.text('type');
  switch (type) {
    case 'checkpoint':
      return {
        ...{ type, ...fields.optional('timeoutMs', 'number') },
        ...fields.optional('reportHandles', 'flag'),
      };
    case 'resume':
      return { type, reason: fields.text('reason') };
    case 'restored':
      return restoredOf(fields);
    default:
      throw fields.wrong('type');
  }
}

function restoredOf(fields: Fields): RestoredMessage {
  const identity = new Fields(fields.value('copy'));
  return {
    type: 'restored',
    copy: { id: identity.text('id'), ...identity.optional('name', 'text') },
    restoredAt: fields.number('restoredAt'),
    ...fields.optional('env', 'environment'),
    ...fields.optional('args', 'texts'),
    ...fields.optional('hostname', 'text'),
    ...fields.optional('timeoutMs', 'number'),
  };
}

interface Kinds {
  readonly text: string;
  readonly number: number;
  readonly flag: boolean;
  readonly texts: readonly string[];
  readonly environment: Readonly<Record<string, string | null>>;
}

const isText = (value: unknown) => typeof value === 'string';

/** True for a value that setenv(3) and execve(2) take. */
const isArgument = (value: unknown) => typeof value === 'string' && !value.includes('\0');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kinds: { readonly [Kind in keyof Kinds]: (value: unknown) => boolean } = {
  text: isText,
  number: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  flag: (value) => typeof value === 'boolean',
  texts: (value) => Array.isArray(value) && value.every(isArgument),
  environment: (value) =>
    isRecord(value) &&
    Object.entries(value).every(
      ([name, each]) => /^[^=\0]+$/.test(name) && (each === null || isArgument(each)),
    ),
};

/** Reads the fields of a message, and ignores those that it does not know. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @param given a line of JSON, or an object of one */
  constructor(given: unknown) {
    const value = typeof given === 'string' ? parsed(given) : given;
    if (!isRecord(value)) throw new Error('a message that is not an object');
    this.#fields = value;
  }

  value(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  text(name: string): string {
    return this.#get(name, 'text');
  }

  number(name: string): number {
    return this.#get(name, 'number');
  }

  list(name: string): unknown[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw this.wrong(name);
    return value;
  }

  /** The field as an object of its own, which is empty if the message does not have it. */
  optional<Name extends string, Kind extends keyof Kinds>(
    name: Name,
    kind: Kind,
  ): { readonly [Key in Name]?: Kinds[Kind] } {
    if (this.value(name) === undefined) return {};
    return { [name]: this.#get(name, kind) } as { readonly [Key in Name]?: Kinds[Kind] };
  }

  wrong(name: string): Error {
    const type = this.value('type');
    const of = isText(type) && name !== 'type' ? ` of type ${JSON.stringify(type)}` : '';
    return new Error(`a message${of} with a wrong ${name}`);
  }

  #get<Kind extends keyof Kinds>(name: string, kind: Kind): Kinds[Kind] {
    const value = this.value(name);
    if (!kinds[kind](value)) throw this.wrong(name);
    return value as Kinds[Kind];
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error('a line that is not JSON');
  }
}
