// Written by scripts/generate.mjs from proto/. Do not edit.
import type { criu_req as criu_req$In, criu_req__Output } from './types/criu_req.js';
import type { criu_resp as criu_resp$In, criu_resp__Output } from './types/criu_resp.js';
import type { criu_dump_resp as criu_dump_resp$In, criu_dump_resp__Output } from './types/criu_dump_resp.js';
import type { criu_restore_resp as criu_restore_resp$In, criu_restore_resp__Output } from './types/criu_restore_resp.js';
import type { criu_notify as criu_notify$In, criu_notify__Output } from './types/criu_notify.js';
import type { criu_features as criu_features$In, criu_features__Output } from './types/criu_features.js';
import type { criu_version as criu_version$In, criu_version__Output } from './types/criu_version.js';
import type { criu_opts as criu_opts$In, criu_opts__Output } from './types/criu_opts.js';
import type { criu_page_server_info as criu_page_server_info$In, criu_page_server_info__Output } from './types/criu_page_server_info.js';
import type { criu_veth_pair as criu_veth_pair$In, criu_veth_pair__Output } from './types/criu_veth_pair.js';
import type { ext_mount_map as ext_mount_map$In, ext_mount_map__Output } from './types/ext_mount_map.js';
import type { join_namespace as join_namespace$In, join_namespace__Output } from './types/join_namespace.js';
import type { inherit_fd as inherit_fd$In, inherit_fd__Output } from './types/inherit_fd.js';
import type { cgroup_root as cgroup_root$In, cgroup_root__Output } from './types/cgroup_root.js';
import type { unix_sk as unix_sk$In, unix_sk__Output } from './types/unix_sk.js';
import type { stats_entry as stats_entry$In, stats_entry__Output } from './types/stats_entry.js';
import type { dump_stats_entry as dump_stats_entry$In, dump_stats_entry__Output } from './types/dump_stats_entry.js';
import type { restore_stats_entry as restore_stats_entry$In, restore_stats_entry__Output } from './types/restore_stats_entry.js';
import type { pagemap_head as pagemap_head$In, pagemap_head__Output } from './types/pagemap_head.js';
import type { pagemap_entry as pagemap_entry$In, pagemap_entry__Output } from './types/pagemap_entry.js';

declare const values: unique symbol;

/** A decoded message, which only its codec looks into. */
export interface Message<Out> {
  readonly [values]: Out;
}

/** How Out is written: numbers for 64-bit fields and names for enums. */
export interface ToObjectOptions {
  readonly longs: NumberConstructor;
  readonly enums: StringConstructor;
}

export interface Codec<In, Out> {
  fromObject(input: In): Message<Out>;
  toObject(message: Message<Out>, options: ToObjectOptions): Out;
  encode(message: Message<Out>): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message<Out>;
}

export const criu_req: Codec<criu_req$In, criu_req__Output>;
export const criu_resp: Codec<criu_resp$In, criu_resp__Output>;
export const criu_dump_resp: Codec<criu_dump_resp$In, criu_dump_resp__Output>;
export const criu_restore_resp: Codec<criu_restore_resp$In, criu_restore_resp__Output>;
export const criu_notify: Codec<criu_notify$In, criu_notify__Output>;
export const criu_features: Codec<criu_features$In, criu_features__Output>;
export const criu_version: Codec<criu_version$In, criu_version__Output>;
export const criu_opts: Codec<criu_opts$In, criu_opts__Output>;
export const criu_page_server_info: Codec<criu_page_server_info$In, criu_page_server_info__Output>;
export const criu_veth_pair: Codec<criu_veth_pair$In, criu_veth_pair__Output>;
export const ext_mount_map: Codec<ext_mount_map$In, ext_mount_map__Output>;
export const join_namespace: Codec<join_namespace$In, join_namespace__Output>;
export const inherit_fd: Codec<inherit_fd$In, inherit_fd__Output>;
export const cgroup_root: Codec<cgroup_root$In, cgroup_root__Output>;
export const unix_sk: Codec<unix_sk$In, unix_sk__Output>;
export const stats_entry: Codec<stats_entry$In, stats_entry__Output>;
export const dump_stats_entry: Codec<dump_stats_entry$In, dump_stats_entry__Output>;
export const restore_stats_entry: Codec<restore_stats_entry$In, restore_stats_entry__Output>;
export const pagemap_head: Codec<pagemap_head$In, pagemap_head__Output>;
export const pagemap_entry: Codec<pagemap_entry$In, pagemap_entry__Output>;
