// Original file: proto/images.proto


export interface termios_entry {
}

export interface termios_entry__Output {
}
