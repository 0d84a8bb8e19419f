import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The Node majors whose programs are dumped; scripts/node-versions.sh installs them. */
export const nodeMajors = [20, 22, 24, 26] as const;
export type NodeMajor = (typeof nodeMajors)[number];

/** The path of the Node of a major. */
export function nodePath(major: NodeMajor): string {
  const path = join(import.meta.dirname, `../../.cache/node/${major}/bin/node`);
  if (!existsSync(path)) throw new Error(`There is no Node ${major} in .cache; run: npm run setup`);
  return path;
}

/** The options with which a Node of a major, by default that of the tests, can be dumped. */
export function nodeOptions(major: number = Number.parseInt(process.versions.node, 10)): string[] {
  // CRIU does not restore the protection keys of WebAssembly code.
  return major === 20 ? ['--no-wasm-memory-protection-keys'] : [];
}
