import { createHook, executionAsyncId } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

/** The resources of Node that have a descriptor. */
const TYPES: ReadonlySet<string> = new Set([
  ...['TCPWRAP', 'TCPSERVERWRAP', 'PIPEWRAP', 'PIPESERVERWRAP', 'UDPWRAP', 'TTYWRAP', 'FILEHANDLE'],
]);

/** How many lines of a stack are kept: several of them are Node's. */
const LINES = 20;

/** How many steps of asynchronous work a stack is followed back, until it leads to the program. */
const STEPS = 4;

interface Created {
  /** Where it was created, and where the work was started that has created it. */
  readonly places: readonly Error[];
  readonly resource: WeakRef<{ readonly fd?: number }> | undefined;
}

interface Opened {
  readonly path: string;
  readonly place: Error;
}

/** Records where this thread opens sockets and files from now on, which costs time. */
export class CreationStacks {
  readonly #created = new Map<number, Created>();
  readonly #opened = new Map<number, Opened>();

  constructor() {
    createHook({
      init: (id, type, _trigger, resource) => {
        if (type === 'PROMISE') return;
        const before = this.#created.get(executionAsyncId())?.places ?? [];
        const places = [here(), ...before.slice(0, STEPS - 1)];
        const hasFd = TYPES.has(type);
        this.#created.set(id, { places, resource: hasFd ? new WeakRef(resource) : undefined });
      },
      destroy: (id) => void this.#created.delete(id),
    }).enable();
    this.#watchFiles();
  }

  /** Where a descriptor was created; undefined if that is not known. */
  of(fd: number, link: string): string | undefined {
    const opened = this.#opened.get(fd);
    // The number may be that of another file by now.
    if (opened && basename(opened.path) === basename(link)) return stackOf(opened.place);
    for (const { resource, places } of this.#created.values()) {
      if (resource?.deref()?.fd === fd) return firstOfProgram(places.map(stackOf));
    }
    return undefined;
  }

  /** node:fs opens files without an asynchronous resource that knows the descriptor. */
  #watchFiles(): void {
    const fs = process.getBuiltinModule('node:fs');
    const { open, openSync } = fs;
    const note = (fd: number, path: unknown, place: Error) =>
      this.#opened.set(fd, { path: String(path), place });
    fs.openSync = (path, ...more) => {
      const fd = openSync(path, ...more);
      note(fd, path, here());
      return fd;
    };
    type Callback = (error: Error | null, fd: number) => void;
    const openNoting = (path: unknown, ...more: unknown[]) => {
      const callback = more.pop();
      const place = here();
      const noting: Callback = (error, fd) => {
        if (!error) note(fd, path, place);
        (callback as Callback)(error, fd);
      };
      const last = typeof callback === 'function' ? noting : callback;
      return (open as (...args: unknown[]) => void)(path, ...more, last);
    };
    fs.open = openNoting as typeof open;
    syncBuiltinESMExports();
  }
}

/** The stack is formatted when it is read. */
function here(): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = LINES;
  const place = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return place;
}

/** The lines of a stack, without those of this file. */
function stackOf(place: Error): string {
  const lines = place.stack?.split('\n').slice(1) ?? [];
  return lines
    .filter((line) => !line.includes(OWN_FILE) && !line.includes('node:internal/async_hooks'))
    .join('\n');
}

function firstOfProgram(stacks: readonly string[]): string | undefined {
  const isOfProgram = (stack: string) =>
    stack.split('\n').some((line) => !/\(?node:[\w/]+:\d+:\d+\)?$/.test(line) && line !== '');
  return stacks.find(isOfProgram);
}

/** This file, or the bundle that it is in. */
const OWN_FILE = import.meta.url;
