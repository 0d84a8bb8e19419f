/** A number of bytes for a person, such as `1.5 MiB`. */
export function formatBytes(size: number): string {
  if (size < 2 ** 10) return `${size} bytes`;
  const [power, unit] = size < 2 ** 20 ? [10, 'KiB'] : size < 2 ** 30 ? [20, 'MiB'] : [30, 'GiB'];
  const value = size / 2 ** (power as number);
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${unit}`;
}

/** A time for a person, such as `2.5 ms` or `1.5 s`. */
export function formatDuration(timeMs: number): string {
  if (timeMs >= 1000) return `${(timeMs / 1000).toFixed(1)} s`;
  return `${timeMs < 9.95 ? timeMs.toFixed(1) : Math.round(timeMs)} ms`;
}

/** A number of things, such as `1 process` or `2 processes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A time in ISO 8601 without fractions of seconds. */
export function formatTime(time: string): string {
  return time.replace(/\.\d+/, '');
}

/** A coordinate in a picture. */
export function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}
