/** The CRIU that tests and demo use: CRIU_PATH, or the one that the last set-up found to work. */
export function criuPath(): string;
