import type { CopyStatus } from '../protocol/status.ts';

/**
 * What is left for the operator to do about a migration that stays undecided.
 * @param host the destination
 * @param answer its answer; undefined if there was none
 */
export function undecidedRemedy(host: string, answer: CopyStatus | undefined): string {
  const again = 'call resolveMigration again';
  if (!answer) {
    return `${host} does not answer: ${again} when it does, or with destinationIsDead if it is off for good`;
  }
  const { state, message } = answer;
  const why = message === undefined ? '' : ` (${message})`;
  switch (state) {
    case 'lost':
      return (
        `the copy has run at ${host} and is gone${why}, so the stopped original is the only one left: ${again} ` +
        'with destinationIsDead to continue it from where it was stopped, or with copyHasFinished to end it, ' +
        'if the copy had done its work'
      );
    case 'unknown':
      return (
        `the server at ${host} does not know whether the copy runs${why}: ${again} when the server that ` +
        'received the migration serves its directory there; if those journals are lost, look for the copy, ' +
        'and pass copyHasFinished if it runs, or destinationIsDead if it does not'
      );
    default:
      return `the copy at ${host} is ${state}${why}: ${again} in a while`;
  }
}
