import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The majors of Node whose programs are dumped, as scripts/node-versions.sh brings them. */
export const nodeMajors = [20, 22, 24, 26] as const;
export type NodeMajor = (typeof nodeMajors)[number];

/** The path of a Node of that major. */
export function nodePath(major: NodeMajor): string {
  const path = join(import.meta.dirname, `../../.cache/node/${major}/bin/node`);
  if (!existsSync(path)) throw new Error(`There is no Node ${major} in .cache; run: npm run setup`);
  return path;
}

/** What a Node of that major must be started with, to be dumped. */
export function nodeOptions(major: NodeMajor): string[] {
  // CRIU does not restore the protection keys that it puts on WebAssembly code.
  return major === 20 ? ['--no-wasm-memory-protection-keys'] : [];
}
