import { join } from 'node:path';
import type { PreflightFinding } from '../../finding.ts';
import type {
  CgControllerEntry,
  CgroupDirEntry,
  CgroupEntry,
  CgroupPropEntry,
} from '../../generated/images/types.ts';
import type { ManageCgroupsMode } from '../../options/types.ts';
import { readCgroupsSync } from '../../procfs/cgroup.ts';
import { type Mount, readMountInfo } from '../../procfs/mountinfo.ts';
import { eachOf, statOf, textOfSync } from '../../procfs/read.ts';
import { found } from '../checks/check.ts';
import type { PreflightRestoreOptions } from './options.ts';
import type { RestoreCheck } from './subject.ts';

/** Modes with which CRIU makes no cgroups. */
const USES_EXISTING: ReadonlySet<ManageCgroupsMode> = new Set(['none', 'props']);

/** Properties whose values are not settings. */
const TRANSIENT: ReadonlySet<string> = new Set([
  ...['cgroup.procs', 'tasks', 'cgroup.type', 'cgroup.freeze', 'freezer.state'],
  // Its file says more than its value in the images.
  'memory.oom_control',
]);

/** Properties that CRIU writes only to cgroups that it has made. Source: special_props. */
const ONLY_AT_CREATION: ReadonlySet<string> = new Set([
  ...['cpuset.cpus', 'cpuset.mems', 'devices.list', 'memory.swappiness', 'memory.use_hierarchy'],
  'memory.kmem.limit_in_bytes',
]);

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
      const { dirs = [] } = hierarchy;
      const problems = await eachOf(dirs, (dir) =>
        findProblems(mode, top, { ...dir, dir_name: pathOf(dir, hierarchy, dumped, options) }),
      );
      return problems.flat().map(([code, details]) => found(code, root, details));
    },
  );
  return findings.flat();
};

type Problem = readonly [
  PreflightFinding['code'],
  { message: string; remedy: string; severity?: 'warning' },
];

/** Looks at a cgroup and at those below it, in CRIU's order. */
async function findProblems(
  mode: ManageCgroupsMode,
  top: string,
  { dir_name: name, children = [], properties = [] }: CgroupDirEntry,
): Promise<Problem[]> {
  const directory = join(top, name);
  if (!(await statOf(directory))) {
    // Makes it, and those below.
    if (!USES_EXISTING.has(mode)) return [];
    const message = `the cgroup ${directory} does not exist, and the mode ${mode} makes none`;
    const remedy = "Make it before the restore, or set manageCgroupsMode: 'soft'.";
    return [['CGROUP_MISSING', { message, remedy }]];
  }
  if (mode === 'strict') {
    const message = `the cgroup ${directory} exists, and the mode strict uses none that exist`;
    const remedy =
      "Set manageCgroupsMode: 'soft', or put the processes into another cgroup with cgRoot.";
    return [['CGROUP_EXISTS', { message, remedy }]];
  }
  const isRoot = name === '/';
  // Most cgroups below the root of a hierarchy are not those of the tree.
  if (isRoot && !USES_EXISTING.has(mode)) return [];
  const below = await eachOf(children, (child) => findProblems(mode, directory, child));
  const changes = isRoot ? [] : findChanges(mode, directory, properties);
  return [...changes, ...below.flat()];
}

/** Properties that the restore leaves as they are, although they were different at the dump. */
function findChanges(
  mode: ManageCgroupsMode,
  directory: string,
  properties: readonly CgroupPropEntry[],
): Problem[] {
  const restores = mode === 'full' || mode === 'props';
  return properties.flatMap(({ name, value }): Problem[] => {
    if (TRANSIENT.has(name) || (restores && !ONLY_AT_CREATION.has(name))) return [];
    const current = settingIn(join(directory, name));
    if (current === undefined || current === value) return [];
    const message = `${name} of the cgroup ${directory} was '${value}' and is '${current}', and the mode ${mode} leaves it so`;
    const remedy = ONLY_AT_CREATION.has(name)
      ? 'Write the old value to the file before the restore.'
      : "Set manageCgroupsMode: 'props', which writes the old value.";
    return [['CGROUP_CHANGED', { severity: 'warning', message, remedy }]];
  });
}

function settingIn(file: string): string | undefined {
  try {
    return textOfSync(file)?.trim();
  } catch {
    // Some properties can only be written.
    return undefined;
  }
}

/** True if the restore makes control groups that are missing. */
export function makesCgroups(options: PreflightRestoreOptions): boolean {
  const mode = modeOf(options);
  return mode !== 'ignore' && !USES_EXISTING.has(mode);
}

function modeOf({ manageCgroups, manageCgroupsMode }: PreflightRestoreOptions): ManageCgroupsMode {
  return manageCgroupsMode || (manageCgroups === false ? 'ignore' : 'soft');
}

/** Why CRIU cannot mount a hierarchy. It mounts those that exist, and new ones with free controllers. */
function findUnusable({
  cnames = [],
}: CgControllerEntry): { message: string; severity?: 'warning' } | undefined {
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
  { cnames = [] }: CgControllerEntry,
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

/** Where a cgroup of the images is restored, in its hierarchy. Source: CRIU's rewrite_cgsets. */
function pathOf(
  { dir_name: name }: CgroupDirEntry,
  { cnames = [] }: CgControllerEntry,
  { sets = [] }: CgroupEntry,
  { cgRoot = {} }: PreflightRestoreOptions,
): string {
  const newRoot = cnames.map((cname) => cgRoot[cname]).find(Boolean) ?? cgRoot[''];
  const member = sets
    .flatMap(({ ctls = [] }) => ctls)
    .find(
      ({ name: controller, path }) => cnames.includes(controller) && path.startsWith(`/${name}`),
    );
  if (newRoot === undefined || !member) return `/${name}`;
  // In a cgroup namespace only what is above its root is replaced.
  return `${newRoot}${`/${name}`.slice(member.cgns_prefix || name.length + 1)}`;
}

/** The unified hierarchy has the empty name in the images. */
const isV2 = (cnames: readonly string[]) => cnames[0] === '';
