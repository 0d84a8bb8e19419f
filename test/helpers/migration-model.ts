import {
  afterRestart,
  type DestinationState,
  isFinal,
  mayAbort,
  ownerOf,
  type SourceState,
  sourceMove,
} from '../../src/migration/protocol/states.ts';

/** Rules that the model can break, to prove that the search finds the violation. */
export interface Rules {
  /** The memory moves after the copy runs. */
  readonly lazy: boolean;
  /** It moves from images at the destination, not from the source. */
  readonly isLocal?: boolean;
  /** A destination takes one decision after the other. */
  readonly isSerial?: boolean;
  /** A source writes its intent into the journal before the deed, and the deed after it. */
  readonly intents?: boolean;
  /** The original is kept until the copy is complete, not killed before the commit. */
  readonly keepsOriginal?: boolean;
  /** The source does not believe a destination without the journal of the migration. */
  readonly doubtsUnknown?: boolean;
  /** A new agent waits for what criu does with the copy, and ends a copy that hangs. */
  readonly waitsForCriu?: boolean;
  /** After the commit the original stays stopped, whatever happens to its criu. */
  readonly keepsStopped?: boolean;
  /** A destination releases its copy only after the journal says so. */
  readonly journalFirst?: boolean;
  /** A destination answers that its copy is complete only while the copy is left. */
  readonly checksCopy?: boolean;
  /** Resolvers exclude each other, and read the journal again before they act. */
  readonly excludesOthers?: boolean;
}

/** The step of the source's agent: of a migration, or of the resolution of an interrupted one. */
type SourceStep =
  | 'begin'
  | 'offering'
  | 'freeze'
  | 'prepare'
  | 'preparing'
  | 'stop'
  | 'commit'
  | 'request commit'
  | 'committing'
  | 'ask for pages'
  | 'awaiting pages'
  | 'end original'
  | 'ended original'
  | 'fail'
  | 'report failure'
  | 'resume original'
  | 'resumed original'
  | 'resolve'
  | 'ask'
  | 'asking'
  | 'over'
  | 'unresolved'
  | 'ask operator'
  | 'crashed';

/** The state of the two hosts and of the network between them. */
export interface World {
  readonly step: SourceStep;
  readonly source: SourceState | 'none';
  /** `frozen` and `held` by criu; a held original stays stopped when criu releases it; `gone` with its host. */
  readonly original: 'runs' | 'frozen' | 'held' | 'stopped' | 'dead' | 'gone';
  /** The requests in transit, by letter: Offer, Prepare, H for Commit, AwaitPages or GetStatus, X for Abort. */
  readonly requests: string;
  /** The answer to the last request, in transit. */
  readonly reply: DestinationState | '';
  readonly agent: 'up' | 'recovering' | 'killed' | 'down' | 'host gone';
  readonly destination: DestinationState;
  /** `held` by criu, `going` once criu is told to release it, `hung` if criu died before; `gone` with its host. */
  readonly copy: 'none' | 'held' | 'going' | 'runs' | 'hung' | 'dead' | 'gone';
  readonly preparing: 'no' | 'restoring' | 'restored' | 'over';
  readonly letting: 'no' | 'decided' | 'written' | 'let';
  readonly aborting: 'no' | 'decided' | 'written';
  /** Lazy pages can arrive. */
  readonly connected: boolean;
  /** The copy has all of its memory. */
  readonly whole: boolean;
  /** A copy has run. */
  readonly hasRun: boolean;
  /** The source was told that the copy is complete while the copy ran. */
  readonly wasTold: boolean;
  /** What a second resolver, which does not exclude the first, is about to do. */
  readonly second: '' | 'resume' | 'end';
  /** The original resumed after a copy had run. */
  readonly wentBack: boolean;
}

/** A step to another world, and true if it is a fault, which may never happen. */
export type Step = readonly [name: string, next: World, isFault?: boolean];

export const start: World = {
  step: 'begin',
  source: 'none',
  original: 'runs',
  requests: '',
  reply: '',
  agent: 'up',
  destination: 'unknown',
  copy: 'none',
  preparing: 'no',
  letting: 'no',
  aborting: 'no',
  connected: false,
  whole: false,
  hasRun: false,
  wasTold: false,
  second: '',
  wentBack: false,
};

/** All steps that can happen next. */
export function stepsFrom(world: World, rules: Rules): Step[] {
  return [
    ...ofSource(world, rules),
    ...ofRequests(world, rules),
    ...ofDestination(world, rules),
    ...ofCriu(world, rules),
    ...faults(world, rules),
  ];
}

/** The violation in a world; undefined if there is none. */
export function violation(world: World, { lazy, keepsOriginal = true }: Rules): string | undefined {
  const { original, copy, agent, wentBack, wasTold } = world;
  if (original === 'runs' && copy === 'runs') return 'two copies run';
  // An original that is killed before the commit relies on a copy that does not run yet.
  const may = keepsOriginal ? ['runs'] : ['runs', 'held', 'going'];
  const isLost = original === 'dead' && !may.includes(copy);
  // Nothing helps against the end of a host after its copy has taken over.
  if (isLost && !(wasTold && copy === 'gone')) return 'no copy is left';
  if (wentBack && !lazy && agent !== 'host gone') return 'the original runs on behind its copy';
  return undefined;
}

/** True if the migration has ended, and exactly one copy runs, or the last one has died with its host. */
export function isSettled(world: World): boolean {
  const { step, source, original, copy, destination, agent } = world;
  if (step !== 'over' || copy === 'held' || copy === 'going') return false;
  const running = Number(original === 'runs') + Number(copy === 'runs');
  const died = original === 'gone' || (original === 'dead' && copy === 'gone');
  if (running !== 1 && !died) return false;
  if (source === 'none') return original === 'runs' || original === 'gone';
  const owner = ownerOf(source, agent === 'host gone' ? undefined : destination);
  return died || owner === (copy === 'runs' ? 'destination' : 'source');
}

// --- The source: outgoing.ts, commit.ts and resolve.ts -------------------------------------------------------

function ofSource(world: World, rules: Rules): Step[] {
  const { step, source, reply } = world;
  const to = (next: SourceStep, change: Partial<World> = {}): World => ({
    ...world,
    reply: '',
    ...change,
    step: next,
  });
  const fails: Step = ['it is cancelled, or no answer comes', to('fail')];
  switch (step) {
    case 'begin':
      return [['offers', send(to('offering'), 'O')]];
    case 'offering':
      return [
        ['no answer to the offer', to('over')],
        ...when(reply === 'receiving', 'notes that it has offered', () =>
          to('freeze', { source: 'offered' }),
        ),
      ];
    case 'freeze':
      // A lazy source also stops the processes as soon as it serves pages.
      return [
        fails,
        [
          'freezes',
          to(
            'prepare',
            servesPages(rules)
              ? { original: 'held', connected: true }
              : { original: 'frozen', connected: rules.isLocal === true },
          ),
        ],
      ];
    case 'prepare':
      return [fails, ['asks to prepare', send(to('preparing'), 'P')]];
    case 'preparing':
      return [fails, ...when(reply === 'prepared', 'hears that it is prepared', () => to('stop'))];
    case 'stop': {
      const isHeld = world.original === 'frozen' || world.original === 'held';
      // criu has released the original, which may have run since.
      if (!isHeld) return [['finds that it is not held', to('fail', { original: 'stopped' })]];
      return [fails, ['stops the original', to('commit', { original: 'held' })]];
    }
    case 'commit': {
      const original = rules.keepsOriginal === false ? 'dead' : world.original;
      const noted = { source: 'handed-over', original } as const;
      return [fails, ['notes the commit', to('request commit', noted)]];
    }
    case 'request commit':
      return [['requests the commit', send(to('committing'), 'H')]];
    case 'committing':
      return afterCommit(world, rules, to);
    case 'ask for pages':
      return [['asks for pages', send(to('awaiting pages'), 'A')]];
    case 'awaiting pages':
      return [...unanswered(to, 'ask for pages'), ...decide(world, rules, to, 'ask for pages')];
    case 'end original':
      return [
        [
          'ends the original',
          to('ended original', { original: world.original === 'gone' ? 'gone' : 'dead' }),
        ],
      ];
    case 'ended original':
      return [['notes that it is done', to('over', { source: 'done' })]];
    case 'fail': {
      const noted = rules.intents === false ? 'aborted' : 'aborting';
      return [['notes that it aborts', to('report failure', { source: noted })]];
    }
    case 'report failure':
      return [['reports to the destination', send(to('resume original'), 'X')]];
    case 'resume original':
      return [['resumes the original', to('resumed original', resumed(world))]];
    case 'resumed original':
      return [['notes that it is aborted', to('over', { source: 'aborted' })]];
    case 'crashed':
    case 'unresolved':
      return [['is told to resolve', to('resolve')]];
    case 'ask operator':
      return afterOperator(world, rules, to);
    case 'resolve':
      if (source === 'none') return [['has nothing to resolve', to('over')]];
      if (source === 'handed-over') {
        return [
          ['asks for a decision', to('ask')],
          ...when(world.agent === 'host gone', 'is told that the destination is dead', () =>
            carryOut(to, rules, 'resume'),
          ),
        ];
      }
      return [['resolves by itself', carryOut(to, rules, sourceMove(source, undefined))]];
    case 'ask':
      return [['asks', send(to('asking'), 'A')]];
    case 'asking':
      return [...unanswered(to, 'ask'), ...decide(world, rules, to, 'ask')];
    default:
      return [];
  }
}

/** True if the criu of the source stays, to serve the pages that the copy lacks. */
function servesPages({ lazy, isLocal = false }: Rules): boolean {
  return lazy && !isLocal;
}

type To = (next: SourceStep, change?: Partial<World>) => World;

function unanswered(to: To, again: SourceStep): Step[] {
  return [
    ['asks once more', to(again)],
    ['gives up to ask', to('unresolved')],
  ];
}

/** The operator looks at both hosts: a copy with all of its memory counts; any other has to be gone first. */
function afterOperator(world: World, rules: Rules, to: To): Step[] {
  const { copy, original, whole, agent } = world;
  const isKnown = !['unknown', 'lost'].includes(stateToTell(world, rules)) && agent !== 'host gone';
  if (isKnown) return [['the operator asks again', to('resolve')]];
  if (copy === 'held' || copy === 'going') return [];
  if (copy === 'runs' && whole) {
    const ended = { source: 'done', original: original === 'gone' ? 'gone' : 'dead' } as const;
    return [['the operator says that the copy runs', to('over', { ...ended, wasTold: true })]];
  }
  if (copy === 'runs')
    return [['the operator ends the copy', to('ask operator', { copy: 'dead' })]];
  const resumes = { source: 'aborted', original: original === 'gone' ? 'gone' : 'runs' } as const;
  return [['the operator says that there is no copy', to('over', resumes)]];
}

function afterCommit(world: World, rules: Rules, to: To): Step[] {
  const { reply } = world;
  const runs = rules.lazy && reply === 'resumed';
  return [
    ...unanswered(to, 'request commit'),
    ...(runs
      ? ([['hears that the copy runs', to('ask for pages')]] as const)
      : decide(world, rules, to, 'request commit')),
  ];
}

/** What follows from an answer after the commit. */
function decide({ reply, step }: World, rules: Rules, to: To, again: SourceStep): Step[] {
  if (reply === '') return [];
  const believed = rules.doubtsUnknown === false && reply === 'unknown' ? 'aborted' : reply;
  const move = sourceMove('handed-over', believed);
  const heard = `hears '${reply}'`;
  if (move === 'wait') {
    // The copy is not in the journals: nothing but a look at the host can tell.
    return [[heard, to(again)], ...when(reply === 'unknown', heard, () => to('ask operator'))];
  }
  if (move === 'ask-operator') return [[heard, to('ask operator')]];
  if (move === 'commit') return [[heard, send(to('asking'), 'H')]];
  if (move === 'end' && step !== 'asking') return [[heard, to('end original')]];
  return [[heard, carryOut(to, rules, move)]];
}

function carryOut(to: To, { intents = true }: Rules, move: ReturnType<typeof sourceMove>): World {
  if (move === 'resume') return to('resume original', { source: intents ? 'aborting' : 'aborted' });
  if (move === 'end') return to('end original', { source: intents ? 'ending' : 'done' });
  return to('over');
}

function resumed(world: World): Partial<World> {
  if (world.original === 'dead' || world.original === 'gone') return {};
  return { original: 'runs', wentBack: world.wentBack || world.hasRun };
}

// --- The network --------------------------------------------------------------------------------

function send(world: World, request: string): World {
  if (world.requests.includes(request)) return world;
  return { ...world, requests: [...world.requests, request].sort().join('') };
}

function ofRequests(world: World, rules: Rules): Step[] {
  const steps: Step[] = [];
  for (const request of world.requests) {
    const less = { ...world, requests: world.requests.replace(request, '') };
    steps.push([`${request} is lost`, less, true]);
    for (const before of world.agent === 'up' ? [less, world] : []) {
      const name = before === world ? `${request} comes, and once more` : `${request} comes`;
      steps.push([name, received(before, request, rules), before === world]);
    }
    // A server without the journals has taken the place of the destination.
    if ('HA'.includes(request)) {
      steps.push([`${request} comes to another server`, answered(less, 'unknown', request), true]);
    }
  }
  if (world.reply !== '') steps.push(['an answer is lost', { ...world, reply: '' }, true]);
  return steps;
}

const WAITING: Readonly<Record<string, readonly SourceStep[]>> = {
  O: ['offering'],
  P: ['preparing'],
  H: ['committing', 'asking'],
  A: ['awaiting pages', 'asking'],
};

/** An answer counts only if it is the answer to the last request. */
function answered(world: World, reply: DestinationState, request: string): World {
  if (!WAITING[request]?.includes(world.step)) return world;
  const isTold = reply === 'complete' && world.copy === 'runs';
  return { ...world, reply, wasTold: world.wasTold || isTold };
}

/** The state that a destination answers. */
function stateToTell({ destination, copy }: World, { checksCopy = true }: Rules): DestinationState {
  const isLeft = copy === 'runs' || copy === 'hung';
  return checksCopy && destination === 'complete' && !isLeft ? 'lost' : destination;
}

function received(world: World, request: string, rules: Rules): World {
  const { isSerial = true, journalFirst = true } = rules;
  const { destination, preparing, letting, aborting } = world;
  switch (request) {
    case 'O':
      if (destination !== 'unknown') return world;
      return answered({ ...world, destination: 'receiving' }, 'receiving', 'O');
    case 'P':
      if (destination !== 'receiving' || preparing !== 'no') return world;
      return { ...world, preparing: 'restoring' };
    case 'H':
      if (letting !== 'no') return world;
      if (destination !== 'prepared') return answered(world, stateToTell(world, rules), 'H');
      if (!journalFirst) return { ...world, letting: 'written' };
      if (isSerial) return { ...world, destination: 'resuming', letting: 'written' };
      return { ...world, letting: 'decided' };
    case 'X':
      if (
        destination === 'unknown' ||
        aborting !== 'no' ||
        !mayAbort(destination) ||
        destination === 'aborted'
      )
        return world;
      return aborts(world, isSerial);
    default:
      return answered(world, stateToTell(world, rules), 'A');
  }
}

function aborts(world: World, isSerial: boolean): World {
  if (!isSerial) return { ...world, aborting: 'decided' };
  return { ...world, destination: 'aborted', aborting: 'written' };
}

// --- The destination: incoming.ts -----------------------------------------------------------------

function ofDestination(world: World, rules: Rules): Step[] {
  const { agent, destination } = world;
  const { lazy, waitsForCriu = true, checksCopy = true } = rules;
  if (agent === 'up') return whileUp(world, rules);
  if (agent === 'down') {
    const isOver = destination === 'unknown' || (destination === 'complete' && !checksCopy);
    return [['the destination starts anew', { ...world, agent: isOver ? 'up' : 'recovering' }]];
  }
  if (agent === 'host gone') return [];
  if (destination === 'unknown') return [['the destination recovers', { ...world, agent: 'up' }]];
  // Recovery waits until criu has decided about the copy.
  const isWaiting = world.copy === 'held' || world.copy === 'going';
  if (waitsForCriu && isWaiting) return [];
  // Without that wait, a copy that is not traced seems to run.
  const runs = world.copy === 'runs' || (!waitsForCriu && (isWaiting || world.copy === 'hung'));
  const isFromEarlierBoot = world.copy === 'gone';
  const state = afterRestart(destination, { runs, isFromEarlierBoot, lazy });
  // A hanging copy is known by its pid, which the journal has once it is prepared.
  const isKnown = world.copy === 'runs' || (world.copy === 'hung' && destination !== 'receiving');
  const mustDie = waitsForCriu && state !== 'complete' && isKnown;
  if (mustDie) {
    return [['the destination ends the copy', { ...world, agent: 'killed', copy: 'dead' }]];
  }
  // The copy was killed for this outcome in the step before.
  const noted = agent === 'killed' && destination === 'resuming' && lazy ? 'failed' : state;
  const copy = !waitsForCriu && state === 'failed' ? 'dead' : world.copy;
  return [['the destination recovers', { ...world, copy, agent: 'up', destination: noted }]];
}

function whileUp(world: World, rules: Rules): Step[] {
  const { destination, copy, preparing, letting, aborting, connected, whole } = world;
  const { lazy, isSerial = true } = rules;
  const steps: Step[] = [];
  const may = (name: string, change: Partial<World>) => steps.push([name, { ...world, ...change }]);
  if (preparing === 'restoring') {
    if (destination === 'receiving') may('restores', { preparing: 'restored', copy: 'held' });
    else may('does not restore', { preparing: 'over' });
  }
  if (preparing === 'restored') {
    const isStill = destination === 'receiving';
    const noted = isStill && copy === 'held' ? 'prepared' : destination;
    const next: World = { ...world, preparing: 'over', destination: noted };
    steps.push(['notes that it is prepared', isStill ? answered(next, noted, 'P') : next]);
  }
  if (letting === 'decided')
    may('notes that it lets go', { destination: 'resuming', letting: 'written' });
  if (letting === 'written') {
    may('lets go', { letting: 'let', copy: copy === 'held' ? 'going' : copy });
  }
  if (letting === 'let' && copy === 'runs') {
    const noted = lazy ? 'resumed' : 'complete';
    const next: World = { ...world, letting: 'no', destination: noted };
    steps.push(['notes that the copy runs', answered(next, noted, 'H')]);
  }
  if (letting === 'let' && copy === 'dead') {
    const next: World = { ...world, letting: 'no', destination: 'aborted' };
    steps.push(['notes that there is no copy', answered(next, 'aborted', 'H')]);
  }
  const canAbort = mayAbort(destination) && destination !== 'aborted' && destination !== 'unknown';
  if (canAbort && aborting === 'no') {
    steps.push(['gives up by itself', aborts(world, isSerial)]);
  }
  if (aborting === 'decided')
    may('notes that it aborts', { destination: 'aborted', aborting: 'written' });
  if (aborting === 'written') {
    may('ends the copy', { aborting: 'no', copy: copy === 'held' ? 'dead' : copy });
  }
  if (destination === 'resumed') {
    if (whole && copy === 'runs') may('notes that it is complete', { destination: 'complete' });
    if (!whole && copy === 'runs' && !connected)
      may('ends a copy without memory', { copy: 'dead' });
    if (!whole && copy === 'dead') may('notes that it has failed', { destination: 'failed' });
  }
  return steps;
}

// --- criu, by itself or on request ------------------------------------------------------

function ofCriu(world: World, { lazy, isLocal = false }: Rules): Step[] {
  const { copy, agent, connected, whole } = world;
  const steps: Step[] = [];
  if (copy === 'going') {
    const runs: World = { ...world, copy: 'runs', hasRun: true, whole: !lazy };
    steps.push(['criu lets go of the copy', runs]);
  }
  const isAlone = (agent !== 'up' || world.destination === 'unknown') && agent !== 'host gone';
  if (isAlone && (copy === 'held' || copy === 'going')) {
    steps.push(['criu rolls the restore back', { ...world, copy: 'dead' }]);
  }
  // A daemon that reads images outlives its agent.
  const isServed = agent === 'up' || isLocal;
  if (lazy && copy === 'runs' && connected && !whole && isServed) {
    steps.push(['the last page comes', { ...world, whole: true }]);
  }
  return steps;
}

// --- Faults ---------------------------------------------------------------------------------------

function faults(world: World, rules: Rules): Step[] {
  const { step, original, agent, copy } = world;
  const { keepsStopped = true, isLocal = false } = rules;
  // Pages that are at the destination come whatever happens to the source.
  const connected = isLocal && world.connected;
  const steps: Step[] = [];
  const may = (name: string, change: Partial<World>) =>
    steps.push([name, { ...world, ...change }, true]);
  const isIdle = ['over', 'unresolved', 'crashed', 'begin'].includes(step);
  if (!isIdle) {
    // A criu that serves pages holds on to the original; any other rolls back.
    const left = servesPages(rules) ? original : withoutCriu(original);
    may('the agent of the source dies', {
      ...{ step: 'crashed', reply: '', connected, original: left },
    });
  }
  if (original === 'frozen' || original === 'held') {
    may('the criu of the source dies', { connected, original: withoutCriu(original) });
    // A lazy source resumes the original if no page was fetched, as long as that is its decision.
    const isKept = keepsStopped && !['prepare', 'preparing', 'stop'].includes(step);
    if (servesPages(rules) && !isKept && !world.whole) {
      may('the criu of the source dies at once', { connected: false, original: 'runs' });
    }
  }
  if (world.connected) {
    const what = isLocal ? 'the lazy-pages daemon dies' : 'the connection with pages breaks off';
    may(what, { connected: false });
  }
  const isOpen = step !== 'begin' && step !== 'over';
  if (isOpen && original !== 'gone' && original !== 'dead') {
    may('the host of the source reboots', {
      ...{ step: 'crashed', reply: '', connected, original: 'gone', second: '' },
    });
  }
  if (copy === 'runs' && world.destination === 'complete') may('the copy ends', { copy: 'gone' });
  if (rules.excludesOthers === false && world.second === '' && world.source === 'handed-over') {
    const second = decisionOf(world, rules);
    if (second === 'resume' || second === 'end') may('a second resolver decides', { second });
  }
  if (world.second !== '') {
    const { second } = world;
    const done: Partial<World> =
      second === 'end'
        ? { source: 'done', original: 'dead' }
        : { source: 'aborted', ...resumed(world) };
    may('the second resolver acts', { ...done, second: '' });
  }
  if (agent === 'host gone') return steps;
  if (isOpen) {
    const hasEnded: Partial<World> = {
      ...{ connected: false, letting: 'no', aborting: 'no', requests: '', reply: '' },
      preparing: world.preparing === 'no' ? 'no' : 'over',
      copy: copy === 'none' || copy === 'dead' ? copy : 'gone',
    };
    may('the host of the destination reboots', { ...hasEnded, agent: 'down' });
    may('the host of the destination is gone for good', { ...hasEnded, agent: 'host gone' });
  }
  const isFinished = isFinal(world.destination) || world.destination === 'unknown';
  if (agent === 'down' || isFinished) {
    // A disk that is lost; or a clock that jumps, so that the journals of what has ended expire.
    may('the journals of the destination are lost', { destination: 'unknown', requests: '' });
  }
  if (agent !== 'down') {
    may('the agent of the destination dies', {
      ...{ agent: 'down', connected, letting: 'no', aborting: 'no' },
      preparing: world.preparing === 'no' ? 'no' : 'over',
    });
  }
  if (copy === 'held') {
    // A living agent ends what criu leaves behind.
    may('the criu of the destination dies', { copy: agent === 'up' ? 'dead' : 'hung' });
  }
  if (copy === 'going') {
    may('the criu of the destination dies', { copy: agent === 'up' ? 'dead' : 'hung' });
    may('the criu of the destination dies late', {
      copy: 'runs',
      hasRun: true,
      whole: !rules.lazy,
    });
  }
  return steps;
}

/** What a resolver that asks at this moment would do. */
function decisionOf(world: World, rules: Rules): ReturnType<typeof sourceMove> {
  if (world.agent === 'host gone') return 'resume';
  return world.agent === 'up' ? sourceMove('handed-over', stateToTell(world, rules)) : 'wait';
}

function withoutCriu(original: World['original']): World['original'] {
  if (original === 'frozen') return 'runs';
  return original === 'held' ? 'stopped' : original;
}

function when(condition: boolean, name: string, next: () => World): Step[] {
  return condition ? [[name, next()]] : [];
}
