import { join } from 'node:path';
import type { PreflightFinding } from '../../finding.ts';
import type { cg_controller_entry__Output as HierarchyEntry } from '../../generated/types/cg_controller_entry.ts';
import type { cgroup_entry__Output as CgroupsEntry } from '../../generated/types/cgroup_entry.ts';
import type { ManageCgroupsMode } from '../../options/types.ts';
import { readCgroupsSync } from '../../procfs/cgroup.ts';
import { type Mount, readMountInfo } from '../../procfs/mountinfo.ts';
import { eachOf, statOf } from '../../procfs/read.ts';
import { found } from '../checks/check.ts';
import type { PreflightRestoreOptions } from './options.ts';
import type { RestoreCheck } from './subject.ts';

/** Modes with which CRIU makes no cgroups. */
const USES_EXISTING: ReadonlySet<ManageCgroupsMode> = new Set(['none', 'props']);

const NO_CGROUPS =
  "Set manageCgroupsMode: 'ignore', which leaves the processes in the cgroups of criu.";

/** Control groups that the restore can neither use nor make. Source: CRIU's criu/cgroup.c, prepare_cgroup. */
export const cgroups: RestoreCheck = async ({ checkpoint, options }) => {
  const { cgroups: dumped, processes } = checkpoint;
  const mode = modeOf(options);
  const [root] = processes;
  // The processes were in the cgroups of criu, or stay in them now.
  if (!root || !dumped?.sets?.length || mode === 'ignore') return [];
  const { cgroupYard: yard } = options;
  if (yard !== undefined && !(await statOf(yard))) {
    const message = `the directory of the cgroup hierarchies, ${yard}, does not exist`;
    const remedy = 'Name an existing directory by cgroupYard, or leave the option out.';
    return [found('CGROUP_MISSING', root, { message, remedy })];
  }
  const mounts = await readMountInfo('self');
  const findings = await eachOf(
    dumped.controllers ?? [],
    async (hierarchy): Promise<PreflightFinding[]> => {
      const unusable = findUnusable(hierarchy);
      if (unusable) return [found('CGROUP_MISSING', root, { ...unusable, remedy: NO_CGROUPS })];
      const top = await topOf(hierarchy, yard, mounts);
      if (top === undefined) return [];
      const paths = pathsOf(hierarchy, dumped, options.cgRoot);
      const problems = await eachOf(paths, (path) => findProblem(mode, top, path));
      return problems.map(([code, details]) => found(code, root, details));
    },
  );
  return findings.flat();
};

type Problem = readonly [PreflightFinding['code'], { message: string; remedy: string }];

async function findProblem(
  mode: ManageCgroupsMode,
  top: string,
  path: string,
): Promise<Problem | undefined> {
  const directory = join(top, path);
  const exists = (await statOf(directory)) !== undefined;
  if (exists && mode === 'strict') {
    const message = `the cgroup ${directory} exists, and the mode strict uses none that exist`;
    const remedy =
      "Set manageCgroupsMode: 'soft', or put the processes into another cgroup with cgRoot.";
    return ['CGROUP_EXISTS', { message, remedy }];
  }
  if (exists || !USES_EXISTING.has(mode)) return undefined;
  const message = `the cgroup ${directory} does not exist, and the mode ${mode} makes none`;
  const remedy = "Make it before the restore, or set manageCgroupsMode: 'soft'.";
  return ['CGROUP_MISSING', { message, remedy }];
}

function modeOf({ manageCgroups, manageCgroupsMode }: PreflightRestoreOptions): ManageCgroupsMode {
  return manageCgroupsMode || (manageCgroups === false ? 'ignore' : 'soft');
}

/** Why CRIU cannot mount a hierarchy. It mounts those that exist, and new ones with free controllers. */
function findUnusable({
  cnames = [],
}: HierarchyEntry): { message: string; severity?: 'warning' } | undefined {
  const here = readCgroupsSync('self');
  const name = cnames.join(',');
  if (isV2(cnames)) {
    if (here.some((one) => one.isV2)) return undefined;
    return { message: 'the images have cgroups v2, which this host does not have' };
  }
  // A hierarchy with a name and no controllers can always be made.
  if (cnames.every((one) => one.startsWith('name='))) return undefined;
  const same = here.find(({ controllers }) => controllers.some((one) => cnames.includes(one)));
  if (!same) {
    const message = `the images have cgroups v1 of ${name}, for which this host has no hierarchy yet`;
    return { severity: 'warning', message };
  }
  if (same.controllers.toSorted().join() === cnames.toSorted().join()) return undefined;
  const message = `the images have cgroups v1 of ${name}, and this host has a hierarchy of ${same.controllers.join(',')} instead`;
  return { message };
}

/** Where a hierarchy can be looked at; undefined if CRIU has to mount it first. */
async function topOf(
  { cnames = [] }: HierarchyEntry,
  yard: string | undefined,
  mounts: readonly Mount[],
): Promise<string | undefined> {
  if (yard !== undefined) {
    const names = cnames.map((name) => name.replace(/^name=/, '') || 'unified');
    const path = join(yard, names.join(','));
    if (await statOf(path)) return path;
  }
  return mounts.find(({ type, options, root }) => {
    if (root !== '/') return false;
    if (isV2(cnames)) return type === 'cgroup2';
    return type === 'cgroup' && cnames.every((name) => options.includes(name));
  })?.point;
}

/** The cgroups of a hierarchy that the restore needs. */
function pathsOf(
  { cnames = [], dirs = [] }: HierarchyEntry,
  { sets = [] }: CgroupsEntry,
  cgRoot: PreflightRestoreOptions['cgRoot'] = {},
): Set<string> {
  const newRoot = cnames.map((name) => cgRoot[name]).find(Boolean) ?? cgRoot[''];
  const members = sets.flatMap(({ ctls = [] }) => ctls).filter(({ name }) => cnames.includes(name));
  const paths = dirs.flatMap(({ dir_name: name }) => {
    const own = members.filter(({ path }) => path.startsWith(`/${name}`));
    const [first] = own;
    const dumped = [`/${name}`, ...own.map(({ path }) => path)];
    if (newRoot === undefined || !first) return dumped;
    // In a cgroup namespace only what is above its root is replaced.
    const replaced = first.cgns_prefix || name.length + 1;
    return dumped.map((path) => `${newRoot}${path.slice(replaced)}`);
  });
  return new Set(paths);
}

/** The unified hierarchy has the empty name in the images. */
const isV2 = (cnames: readonly string[]) => cnames[0] === '';
