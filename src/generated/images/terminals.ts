// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import { fown_entry } from './fown.ts';
import type * as types from './types.ts';

export const tty_file_entry: MessageType<types.TtyFileEntry> = {
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

export const winsize_entry: MessageType<types.WinsizeEntry> = {
  name: 'winsize_entry',
  required: ['ws_row', 'ws_col', 'ws_xpixel', 'ws_ypixel'],
  fields: {
    1: { name: 'ws_row', type: 'uint32' },
    2: { name: 'ws_col', type: 'uint32' },
    3: { name: 'ws_xpixel', type: 'uint32' },
    4: { name: 'ws_ypixel', type: 'uint32' },
  },
};

export const termios_entry: MessageType<types.TermiosEntry> = {
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

export const tty_pty_entry: MessageType<types.TtyPtyEntry> = {
  name: 'tty_pty_entry',
  required: ['index'],
  fields: {
    1: { name: 'index', type: 'uint32' },
  },
};

export const tty_data_entry: MessageType<types.TtyDataEntry> = {
  name: 'tty_data_entry',
  required: ['tty_id', 'data'],
  fields: {
    1: { name: 'tty_id', type: 'uint32' },
    2: { name: 'data', type: 'bytes' },
  },
};

export const tty_info_entry: MessageType<types.TtyInfoEntry> = {
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
