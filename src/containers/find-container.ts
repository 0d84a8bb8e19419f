import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { containerFailure } from './container-failure.ts';
import { type RuntimeState, readRuntimeState } from './runtime-state.ts';

/** A container that a runtime knows. */
export interface FoundContainer {
  /** The state directory of the runtime. */
  readonly root: string;
  readonly state: RuntimeState;
}

/** Where runc keeps its state by default, for itself and for Podman; and where containerd and Docker tell it to. */
const ROOTS = ['/run/runc'] as const;
const PARENTS_OF_ROOTS = ['/run/containerd/runc', '/run/docker/runtime-runc'] as const;

/**
 * Finds a container by its id, or by the beginning of it if only one id begins so.
 * @throws CriuError ERR_CRIU_CONTAINER
 */
export async function findContainer(
  operation: string,
  id: string,
  root: string | undefined,
): Promise<FoundContainer> {
  const roots = root === undefined ? await defaultRoots() : [root];
  for (const each of roots) {
    const state = await readRuntimeState(operation, each, id);
    if (state) return { root: each, state };
  }
  const found = await findByPrefix(operation, id, roots);
  if (found) return found;
  const searched = roots.length > 0 ? roots.join(', ') : ROOTS.join(', ');
  const remedy = root === undefined ? '; name the state directory of its runtime by root' : '';
  throw containerFailure(operation, id, `there is none in ${searched}${remedy}`);
}

async function findByPrefix(
  operation: string,
  id: string,
  roots: readonly string[],
): Promise<FoundContainer | undefined> {
  const all = await Promise.all(
    roots.map(async (root) => (await namesIn(root)).map((name) => ({ root, name }))),
  );
  const matching = all.flat().filter(({ name }) => name.startsWith(id));
  const [first, ...others] = matching;
  if (first === undefined) return undefined;
  if (others.length > 0) {
    const names = matching.map(({ name }) => name).join(', ');
    throw containerFailure(operation, id, `several ids begin so: ${names}`);
  }
  const state = await readRuntimeState(operation, first.root, first.name);
  return state && { root: first.root, state };
}

async function defaultRoots(): Promise<string[]> {
  const below = await Promise.all(
    PARENTS_OF_ROOTS.map(async (parent) =>
      (await namesIn(parent)).map((name) => join(parent, name)),
    ),
  );
  return [...ROOTS, ...below.flat()];
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}
