// What the simulation uses of node-criu besides its public API. scripts/sim/build.mjs makes one file of it.
export { CriuError } from '../../build/js/errors.js';
export { FleetMember } from '../../build/js/fleet/agent/fleet-member.js';
export { checkJoinOptions } from '../../build/js/fleet/agent/member-options.js';
export { Dispatcher } from '../../build/js/fleet/operator/dispatcher.js';
export { planDrain } from '../../build/js/fleet/planner/plan-drain.js';
export { planPlacement } from '../../build/js/fleet/planner/plan-placement.js';
export { planRebalance } from '../../build/js/fleet/planner/plan-rebalance.js';
export { keysOf, movesOf } from '../../build/js/fleet/redis/keys.js';
export { readView } from '../../build/js/fleet/redis/records.js';
