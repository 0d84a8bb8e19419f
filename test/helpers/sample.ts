import { appendFileSync } from 'node:fs';

const notes = process.env.SOAK_NOTES;

/** True in `npm run test:soak`, which runs all repetitions of which `npm test` runs a sample. */
export const isSoak = process.env.SOAK === '1';

/**
 * How often a test repeats something: `few` times in `npm test`, `full` times in a soak run, with the
 * same code and seeds. The soak run lists every repetition that it adds.
 * @param what is repeated, such as `mutated images`
 */
export function sample(what: string, full: number, few: number): number {
  if (!isSoak) return few;
  if (notes) appendFileSync(notes, `${JSON.stringify({ what, full, few })}\n`);
  return full;
}

/**
 * The cases of a table of tests: one in `every` of them in `npm test`, all of them in a soak run.
 * @param first the index of the first case that `npm test` tries. Tables that are tried together start at
 * different cases, so that between them each case is tried.
 */
export function oneIn<T>(every: number, what: string, cases: readonly T[], first = 0): T[] {
  const few = cases.filter((_, index) => index % every === first % every);
  return sample(what, cases.length, few.length) > few.length ? [...cases] : few;
}

/** The seed of a test's random choices; TEST_SEED replaces it, to search with others. */
export function testSeed(seed: number): number {
  return Number(process.env.TEST_SEED ?? seed);
}
