// Rules for the end of an iterative dump, other than our own: policies for preCopy.
//
// @ts-check
/** @import { Round } from '../../src/precopy/round.ts' */

/** @typedef {(history: readonly Round[]) => 'continue' | 'finish'} Rule */

/**
 * phaul's, of go-criu, as it is meant: the end comes after eight rounds, when a round has written
 * fewer than 64 pages, or when it has written at least 32 more than the round before.
 *
 * @type {Rule}
 */
export function phaulAsDesigned(history) {
  return history.length === 1 && pagesOf(history.at(-1)) >= 64 ? 'continue' : phaul(history);
}

/**
 * The same as it behaves: the first round is compared with none, which wrote no pages, and has
 * always grown. So the end comes after one round.
 *
 * @type {Rule}
 */
export function phaulAsItBehaves(history) {
  return phaul(history);
}

/**
 * A policy of so many rounds, whatever they find.
 *
 * @param {number} rounds
 * @returns {Rule}
 */
export function fixedRounds(rounds) {
  return (history) => (history.length < rounds ? 'continue' : 'finish');
}

/** @type {Rule} */
function phaul(history) {
  const [before, now] = [pagesOf(history.at(-2)), pagesOf(history.at(-1))];
  return history.length >= 8 || now < 64 || now - before >= 32 ? 'finish' : 'continue';
}

/** @param {Round | undefined} round none has written no pages */
function pagesOf(round) {
  return round?.stats.pagesWritten ?? 0;
}
