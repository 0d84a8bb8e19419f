// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import { fown_entry, type FownEntry } from './fown.ts';

/** A descriptor of a terminal. */
export interface TtyFileEntry {
  id: number;
  tty_info_id: number;
  flags: number;
  fown: FownEntry;
  regf_id?: number | undefined;
}

export const tty_file_entry: MessageType<TtyFileEntry> = {
  name: 'tty_file_entry',
  required: ['id', 'tty_info_id', 'flags', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'tty_info_id', type: 'uint32' },
    3: { name: 'flags', type: 'uint32', format: { hex: true } },
    4: { name: 'fown', type: fown_entry },
    6: { name: 'regf_id', type: 'uint32' },
  },
};

/** The kind of a terminal. */
export type TtyType = 'UNKNOWN' | 'PTY' | 'CONSOLE' | 'VT' | 'CTTY' | 'EXT_TTY' | 'SERIAL';
export const TtyType: EnumType = {
  name: 'TtyType',
  numbers: {
    UNKNOWN: 0,
    PTY: 1,
    CONSOLE: 2,
    VT: 3,
    CTTY: 4,
    EXT_TTY: 5,
    SERIAL: 6,
  },
};

/** The size of a terminal's window. */
export interface WinsizeEntry {
  ws_row: number;
  ws_col: number;
  ws_xpixel: number;
  ws_ypixel: number;
}

export const winsize_entry: MessageType<WinsizeEntry> = {
  name: 'winsize_entry',
  required: ['ws_row', 'ws_col', 'ws_xpixel', 'ws_ypixel'],
  fields: {
    1: { name: 'ws_row', type: 'uint32' },
    2: { name: 'ws_col', type: 'uint32' },
    3: { name: 'ws_xpixel', type: 'uint32' },
    4: { name: 'ws_ypixel', type: 'uint32' },
  },
};

/** The settings of a terminal. */
export interface TermiosEntry {
  c_iflag: number;
  c_oflag: number;
  c_cflag: number;
  c_lflag: number;
  c_line: number;
  c_ispeed: number;
  c_ospeed: number;
  c_cc?: number[] | undefined;
}

export const termios_entry: MessageType<TermiosEntry> = {
  name: 'termios_entry',
  required: ['c_iflag', 'c_oflag', 'c_cflag', 'c_lflag', 'c_line', 'c_ispeed', 'c_ospeed'],
  fields: {
    1: { name: 'c_iflag', type: 'uint32' },
    2: { name: 'c_oflag', type: 'uint32' },
    3: { name: 'c_cflag', type: 'uint32' },
    4: { name: 'c_lflag', type: 'uint32' },
    5: { name: 'c_line', type: 'uint32' },
    6: { name: 'c_ispeed', type: 'uint32' },
    7: { name: 'c_ospeed', type: 'uint32' },
    8: { name: 'c_cc', type: 'uint32', repeated: true },
  },
};

/** The number of a pseudo-terminal. */
export interface TtyPtyEntry {
  index: number;
}

export const tty_pty_entry: MessageType<TtyPtyEntry> = {
  name: 'tty_pty_entry',
  required: ['index'],
  fields: {
    1: { name: 'index', type: 'uint32' },
  },
};

/** Bytes that wait to be read from a terminal. */
export interface TtyDataEntry {
  tty_id: number;
  data: Uint8Array;
}

export const tty_data_entry: MessageType<TtyDataEntry> = {
  name: 'tty_data_entry',
  required: ['tty_id', 'data'],
  fields: {
    1: { name: 'tty_id', type: 'uint32' },
    2: { name: 'data', type: 'bytes' },
  },
};

/** A terminal. */
export interface TtyInfoEntry {
  id: number;
  type: TtyType | number;
  locked: boolean;
  exclusive: boolean;
  packet_mode: boolean;
  sid: number;
  pgrp: number;
  rdev: number;
  termios?: TermiosEntry | undefined;
  termios_locked?: TermiosEntry | undefined;
  winsize?: WinsizeEntry | undefined;
  pty?: TtyPtyEntry | undefined;
  dev?: number | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
}

export const tty_info_entry: MessageType<TtyInfoEntry> = {
  name: 'tty_info_entry',
  required: ['id', 'type', 'locked', 'exclusive', 'packet_mode', 'sid', 'pgrp', 'rdev'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'type', type: TtyType },
    3: { name: 'locked', type: 'bool' },
    4: { name: 'exclusive', type: 'bool' },
    5: { name: 'packet_mode', type: 'bool' },
    6: { name: 'sid', type: 'uint32' },
    7: { name: 'pgrp', type: 'uint32' },
    8: { name: 'rdev', type: 'uint32' },
    9: { name: 'termios', type: termios_entry },
    10: { name: 'termios_locked', type: termios_entry },
    11: { name: 'winsize', type: winsize_entry },
    12: { name: 'pty', type: tty_pty_entry },
    13: { name: 'dev', type: 'uint32' },
    14: { name: 'uid', type: 'uint32' },
    15: { name: 'gid', type: 'uint32' },
  },
};
