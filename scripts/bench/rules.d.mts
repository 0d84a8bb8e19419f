import type { Round } from '../../src/precopy/round.ts';

type Rule = (history: readonly Round[]) => 'continue' | 'finish';

export declare const phaulAsDesigned: Rule;
export declare const phaulAsItBehaves: Rule;
export declare function fixedRounds(rounds: number): Rule;
