// Written by scripts/generate.mjs from proto/. Do not edit.
import type { Codec } from './messages.js';

export type Decoder<Out> = Pick<Codec<never, Out>, 'toObject' | 'decode'>;

export const inventory_entry: Decoder<import('./types/inventory_entry.js').inventory_entry__Output>;
export const task_kobj_ids_entry: Decoder<import('./types/task_kobj_ids_entry.js').task_kobj_ids_entry__Output>;
export const pstree_entry: Decoder<import('./types/pstree_entry.js').pstree_entry__Output>;
export const core_entry: Decoder<import('./types/core_entry.js').core_entry__Output>;
export const task_core_entry: Decoder<import('./types/task_core_entry.js').task_core_entry__Output>;
export const fs_entry: Decoder<import('./types/fs_entry.js').fs_entry__Output>;
export const mm_entry: Decoder<import('./types/mm_entry.js').mm_entry__Output>;
export const vma_entry: Decoder<import('./types/vma_entry.js').vma_entry__Output>;
export const fdinfo_entry: Decoder<import('./types/fdinfo_entry.js').fdinfo_entry__Output>;
export const file_entry: Decoder<import('./types/file_entry.js').file_entry__Output>;
export const reg_file_entry: Decoder<import('./types/reg_file_entry.js').reg_file_entry__Output>;
export const inet_sk_entry: Decoder<import('./types/inet_sk_entry.js').inet_sk_entry__Output>;
export const sk_opts_entry: Decoder<import('./types/sk_opts_entry.js').sk_opts_entry__Output>;
export const unix_sk_entry: Decoder<import('./types/unix_sk_entry.js').unix_sk_entry__Output>;
export const pipe_entry: Decoder<import('./types/pipe_entry.js').pipe_entry__Output>;
export const tty_file_entry: Decoder<import('./types/tty_file_entry.js').tty_file_entry__Output>;
export const tty_info_entry: Decoder<import('./types/tty_info_entry.js').tty_info_entry__Output>;
export const termios_entry: Decoder<import('./types/termios_entry.js').termios_entry__Output>;
export const tty_pty_entry: Decoder<import('./types/tty_pty_entry.js').tty_pty_entry__Output>;
export const remap_file_path_entry: Decoder<import('./types/remap_file_path_entry.js').remap_file_path_entry__Output>;
export const file_lock_entry: Decoder<import('./types/file_lock_entry.js').file_lock_entry__Output>;
export const mnt_entry: Decoder<import('./types/mnt_entry.js').mnt_entry__Output>;
