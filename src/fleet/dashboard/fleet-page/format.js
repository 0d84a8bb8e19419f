const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** The present time by the clock of the server, which the times of the fleet are compared with. */
export const clock = {
  offset: 0,
  now() {
    return Date.now() + this.offset;
  },
};

const numbers = new Intl.NumberFormat('en');

/** A count: `20,000`. */
export function number(value) {
  return numbers.format(value);
}

/** A size with three digits: `1.25 GiB`. */
export function bytes(value) {
  if (!Number.isFinite(value)) return '';
  let unit = 0;
  let size = value;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : digits(size)} ${UNITS[unit]}`;
}

/** Milliseconds with three digits at most: `82 ms`, `1.4 s`, `3 min`. */
export function duration(ms) {
  if (!Number.isFinite(ms)) return '';
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${Math.round(ms)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return wholeDuration(seconds);
}

/** The time since a moment, in whole seconds, minutes, hours or days. */
export function age(at) {
  return Number.isFinite(at) ? wholeDuration((clock.now() - at) / 1000) : '';
}

/** The time of day, with the date unless it is today. */
export function moment(at) {
  if (!Number.isFinite(at)) return '';
  const time = new Date(at);
  const isToday = time.toDateString() === new Date(clock.now()).toDateString();
  const two = (part) => String(part).padStart(2, '0');
  const ofDay = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  if (isToday) return ofDay;
  return `${[time.getFullYear(), time.getMonth() + 1, time.getDate()].map(two).join('-')} ${ofDay}`;
}

/** The version of a CRIU: `4.2.1` for 40201. */
export function criuVersion(version) {
  if (!Number.isFinite(version)) return '';
  const parts = [Math.floor(version / 10000), Math.floor(version / 100) % 100, version % 100];
  return (parts[2] === 0 ? parts.slice(0, 2) : parts).join('.');
}

/** Labels in one line: `app=web zone=a`. */
export function labels(given) {
  return Object.entries(given ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function wholeDuration(given) {
  const seconds = Math.max(0, Math.floor(given));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

function digits(size) {
  return size < 10 ? size.toFixed(2) : size < 100 ? size.toFixed(1) : size.toFixed(0);
}
