import { CriuError } from '../../errors.ts';
import type { FileEntry, UnixSkEntry } from '../../generated/images/types.ts';
import { escapedBytes, escapedText } from '../../protobuf/escaped-bytes.ts';

/** A path that is another one in the new images. */
export interface EditedPath {
  readonly from: string;
  readonly to: string;
}

/** Changes paths, and those below them. */
export class PathEdits {
  readonly #operation: string;
  /** The longest first. */
  readonly #edits: { readonly from: string; readonly to: string; isUsed: boolean }[];
  readonly #edited = new Map<string, string>();

  constructor(operation: string, paths: Readonly<Record<string, string>>) {
    this.#operation = operation;
    this.#edits = Object.entries(paths)
      .map(([from, to]) => ({ from: withoutEnd(from), to: withoutEnd(to), isUsed: false }))
      .sort((one, other) => other.from.length - one.from.length);
  }

  /** What was changed, each path once. */
  get edited(): EditedPath[] {
    return [...this.#edited].map(([from, to]) => ({ from, to }));
  }

  /** Changes the paths of an open file, a mapped file, a directory, a socket, or of what is watched. */
  apply({ reg, usk, ify, ffy }: FileEntry): void {
    if (reg) reg.name = this.#replaced(reg.name);
    if (usk) this.#applyToSocket(usk);
    for (const { f_handle: handle } of ify?.wd ?? []) {
      if (handle.path !== undefined) handle.path = this.#replaced(handle.path);
    }
    for (const { ie, me } of ffy?.mark ?? []) {
      if (ie?.f_handle.path !== undefined) ie.f_handle.path = this.#replaced(ie.f_handle.path);
      if (me?.path !== undefined) me.path = this.#replaced(me.path);
    }
  }

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for a path that nothing has */
  assertUsed(): void {
    const unused = this.#edits.find(({ isUsed }) => !isUsed);
    if (unused === undefined) return;
    const why = `no file or UNIX socket has the path ${unused.from}, or one below it`;
    const details = { operation: this.#operation, option: 'paths' };
    const message = `${this.#operation}: paths: ${why}`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, details);
  }

  #applyToSocket(socket: UnixSkEntry): void {
    if (socket.name_dir !== undefined) socket.name_dir = this.#replaced(socket.name_dir);
    const { name } = socket;
    // An abstract name begins with a zero; that of a file ends with one.
    if (name.length === 0 || name[0] === 0) return;
    const end = name.indexOf(0);
    const bytes = Buffer.from(name.subarray(0, end < 0 ? name.length : end));
    const path = escapedText(bytes);
    const replaced = this.#replaced(path);
    if (replaced === path) return;
    const rest = name.subarray(bytes.length);
    socket.name = Buffer.concat([escapedBytes(replaced) ?? Buffer.from(replaced), rest]);
  }

  #replaced(path: string): string {
    const edit = this.#edits.find(({ from }) => {
      return path === from || path.startsWith(from === '/' ? from : `${from}/`);
    });
    if (edit === undefined) return path;
    edit.isUsed = true;
    const { from } = edit;
    const rest = path === from ? '' : path.slice(from === '/' ? 0 : from.length);
    const to = edit.to === '/' ? rest || '/' : `${edit.to}${rest}`;
    this.#edited.set(path, to);
    return to;
  }
}

/** A path without slashes at its end. */
function withoutEnd(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
