import { byId, element } from './elements.js';
import { age, bytes, criuVersion, duration, labels, moment } from './format.js';
import { facts, link, list, note, title } from './parts.js';
import { levelsOf, plan, why } from './plan.js';
import { hostState } from './views.js';

/** The panel with all that is known of one row. */
export class Details {
  /** What can be planned: `drain`, `move`, `rebalance`. */
  plans = [];
  #store;
  #panel = byId('details');
  #shown;
  #drawn = '';
  #returnTo;

  constructor(store) {
    this.#store = store;
    this.#panel.addEventListener('click', ({ target }) => {
      if (target.closest('.close')) this.close();
      const planned = target.closest('[data-plan]');
      if (planned) void this.#plan(planned.dataset.plan);
      const link = target.closest('[data-kind]');
      if (link) this.open(link.dataset.kind, link.dataset.key);
    });
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /**
   * Shows a row.
   * @param kind `host`, `workload`, `operation` or `step`, as the tables have them, or `rebalance`
   * @param focus where the focus returns to; without it, the focus stays where it is
   */
  open(kind, key, focus) {
    this.#shown = { kind, key };
    this.#drawn = '';
    this.#panel.hidden = false;
    this.#panel.scrollTop = 0;
    this.draw();
    if (focus) {
      this.#returnTo = focus;
      this.#panel.focus();
    }
    if (kind === 'operation') void this.#load(key);
  }

  /** Shows what a rebalance would do. */
  openRebalance(focus) {
    if (!this.plans.includes('rebalance')) return;
    this.open('rebalance', '', focus);
    void this.#plan('rebalance');
  }

  close() {
    this.#panel.hidden = true;
    this.#shown = undefined;
    this.#returnTo?.focus();
    this.#returnTo = undefined;
  }

  /** Draws what is known now. */
  draw() {
    if (!this.#shown) return;
    const { kind, key } = this.#shown;
    const known = element('div', {}, this.#contents(kind, key));
    // Otherwise a selection and the focus would be lost.
    if (known.innerHTML === this.#drawn) return;
    this.#drawn = known.innerHTML;
    const {
      kind: focusedKind,
      key: focusedKey,
      plan: focusedPlan,
    } = document.activeElement?.dataset ?? {};
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#panel.replaceChildren(...known.childNodes);
    if (!hadFocus) return;
    const links = [...this.#panel.querySelectorAll('[data-kind], [data-plan]')];
    const same = links.find(
      ({ dataset }) =>
        dataset.kind === focusedKind && dataset.key === focusedKey && dataset.plan === focusedPlan,
    );
    (same ?? this.#panel).focus();
  }

  async #load(key) {
    const answer = await fetch(`operation?id=${encodeURIComponent(key)}`).catch(() => undefined);
    const given = answer?.ok ? await answer.json() : {};
    if (this.#shown?.kind !== 'operation' || this.#shown.key !== key) return;
    Object.assign(this.#shown, given);
    this.draw();
  }

  /** Has a plan made for what is shown. */
  async #plan(what) {
    const shown = this.#shown;
    const take = (planned) => {
      if (this.#shown !== shown) return;
      shown.planned = planned;
      this.draw();
    };
    take({ text: 'planning …' });
    const answer = await fetch(`plan?${what}=${encodeURIComponent(shown.key)}`).catch(
      () => undefined,
    );
    if (answer?.ok) {
      const planned = await answer.json();
      const levels = what === 'rebalance' ? levelsOf(planned, this.#store.hosts) : undefined;
      take({ ...planned, levels });
    } else take({ text: answer ? await answer.text() : 'no connection' });
  }

  /** A button that has a plan made, and the plan. */
  #planning(what, text) {
    if (!this.plans.includes(what)) return undefined;
    const { planned } = this.#shown;
    const button = element('button.plan', { type: 'button', dataset: { plan: what } }, text);
    return [button, planned && plan(planned)];
  }

  #contents(kind, key) {
    const store = this.#store;
    const of = {
      host: store.hosts,
      workload: store.workloads,
      operation: store.operations,
      step: store.steps,
    };
    if (kind === 'rebalance') return this.#rebalance();
    const row = of[kind]?.get(key);
    if (!row) return [title(kind, key), element('p', {}, 'It is gone.')];
    if (kind === 'host') return this.#host(row);
    if (kind === 'workload') return this.#workload(row);
    return kind === 'step' ? this.#step(row) : this.#operation(row);
  }

  #host(host) {
    const { name, limits } = host;
    const workloads = [...this.#store.workloads.values()].filter((row) => row.host === name);
    const steps = [...this.#store.steps.values()].filter(
      (row) => row.from === name || row.to === name,
    );
    return [
      title('Host', name),
      facts({
        State: hostState(host),
        'Last heard of': host.isAlive
          ? undefined
          : `${age(host.seenAt)} ago, ${moment(host.seenAt)}`,
        Agent: host.endpoint,
        Labels: labels(host.labels),
        Memory: `${bytes(host.freeMemoryBytes)} free of ${bytes(host.memoryBytes)}`,
        Disk: `${bytes(host.freeDiskBytes)} free`,
        Load: `${host.load.toFixed(1)} on ${host.processors} processors`,
        CRIU: criuVersion(host.criu),
        Kernel: `${host.kernel}, ${host.architecture}`,
        'Tracks changes': host.memTrack ? 'yes' : 'no',
        'Post-copy': host.lazyPages ? 'yes' : 'no',
        Limits: `${limits.incoming} in, ${limits.outgoing} out${limits.bandwidth ? `, ${bytes(limits.bandwidth)}/s` : ''}`,
        Addresses: host.allowAddresses.join(' '),
      }),
      list('Moves', steps, (step) => [link('step', step.key, step.workload), note(stepNote(step))]),
      this.#planning('drain', 'Plan a drain'),
      list('Workloads', workloads, (row) => [
        link('workload', row.key, row.name),
        note(`${row.state}, ${bytes(row.memoryBytes)}`),
      ]),
    ];
  }

  #rebalance() {
    return [title('Fleet', 'Rebalance'), this.#planning('rebalance', 'Plan again')];
  }

  #workload(row) {
    const { placement, checkpoint } = row;
    const steps = [...this.#store.steps.values()].filter(({ workload }) => workload === row.name);
    return [
      title('Workload', row.name),
      facts({
        State: row.state,
        Host: link('host', row.host, row.host),
        'There since': moment(row.since),
        Kind: row.kind,
        Pid: String(row.pid),
        Memory: bytes(row.memoryBytes),
        Addresses: row.addresses.join(' '),
        Labels: labels(row.labels),
        'Only hosts with': labels(placement.hostLabels),
        'Only beside': labels(placement.affinity),
        'Never beside': labels(placement.antiAffinity),
        'On its way to': row.movingTo && link('host', row.movingTo, row.movingTo),
        'Post-copy': row.allowPostCopy ? 'allowed' : 'not allowed',
        Generation: row.generation > 0 ? String(row.generation) : undefined,
        Checkpoint: checkpoint && `${age(checkpoint.at)} ago, ${moment(checkpoint.at)}`,
        'Checkpoint on': checkpoint?.hosts.join(' '),
      }),
      this.#planning('move', 'Plan a move'),
      list('Moves', steps, (step) => [
        link('step', step.key, `${step.from ?? 'start'} → ${step.to}`),
        note(stepNote(step)),
      ]),
    ];
  }

  #step(step) {
    return [
      title('Move', step.workload),
      facts({
        Workload: link('workload', step.workload, step.workload),
        Operation: link('operation', step.operation, step.operation),
        From: step.from === undefined ? 'it is started' : link('host', step.from, step.from),
        To: link('host', step.to, step.to),
        State: step.state,
        Phase: step.phase,
        Sent: `${bytes(step.bytes)} of ${bytes(step.memoryBytes)}`,
        Tries: String(step.attempts),
        Began: moment(step.startedAt),
        Ended: moment(step.endedAt),
        Downtime: duration(step.downtimeMs),
        Why: step.message,
      }),
    ];
  }

  #operation(row) {
    const live = [...this.#store.steps.values()].filter(({ operation }) => operation === row.key);
    const steps = (live.length > 0 ? live : (this.#shown.steps ?? [])).toSorted(
      (a, b) => Number(b.state === 'failed') - Number(a.state === 'failed') || a.index - b.index,
    );
    const plan = this.#shown.plan;
    const stays = new Map(plan?.unplaced.map((one) => [one.workload, one]));
    const moves = new Map(plan?.moves.map((one) => [one.workload, one]));
    const others = Object.entries(row.counts).map(([state, number]) => `${number} ${state}`);
    return [
      title(row.kind, row.target),
      facts({
        State: row.state,
        Steps: others.join(', '),
        Sent: `${bytes(row.bytes)}, for ${bytes(row.memoryBytes)} of memory`,
        'Longest downtime': duration(row.longestDowntimeMs),
        Operator: row.operator,
        Ordered: moment(row.orderedAt),
        Ended: moment(row.endedAt),
        Id: row.id,
      }),
      list('No host for', row.unplaced, (name) => [
        link('workload', name, name),
        ...why(stays.get(name)),
      ]),
      list('Steps', steps, (step) => [
        link('workload', step.workload, step.workload),
        note(`${step.from ?? 'start'} → ${step.to}: ${stepNote(step)}`),
        ...why(moves.get(step.workload)),
      ]),
    ];
  }
}

function stepNote({ state, phase, downtimeMs, message, bytes: sent }) {
  const how =
    state === 'active'
      ? [phase, bytes(sent)]
      : [downtimeMs !== undefined && `down for ${duration(downtimeMs)}`];
  return [state, ...how, message].filter(Boolean).join(', ');
}
