/** What takes the place of a secret. */
export const REDACTED = '[redacted]';

/** Names of variables and options whose values are secrets, as programs usually call them. */
const SECRET_NAME =
  /pass(w(or)?d|phrase|code)?($|[_-])|password|passwd|secret|token|key|credential|cookie|private|(^|[_-])(auth|authorization|jwt|dsn|pat|salt|signature|bearer)($|[_-])|[_-]pwd$/i;
/** Names that look like the above, and have no secrets. */
const HARMLESS_NAME = /_(SOCK|FILE|DIR|PATH|ID)$|^(KEYBOARD|KEYMAP)/i;
/** User and password of a URL. */
const URL_PASSWORD = /([a-z][a-z\d+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi;
/** Text that is a secret by its form: tokens of common services, and private keys. */
const SECRET_FORM =
  /\b(gh[pousr]_\w{20,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[A-Z\d]{16}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*/g;
/** An option with its value, as in `--api-key=VALUE`; without one, the next argument is the value. */
const OPTION = /^(--?[\w.-]+)(=(.*))?$/s;
/** An option that switches something off, as `--no-wasm-memory-protection-keys` of Node 20, and has no value. */
const SWITCH = /^--no-/;

/** Variables without the values that are secrets. */
export function redactEnvironment(variables: readonly string[]): string[] {
  return variables.map((variable) => {
    const at = variable.indexOf('=');
    if (at < 0) return redactText(variable);
    const name = variable.slice(0, at);
    return isSecretName(name) ? `${name}=${REDACTED}` : redactText(variable);
  });
}

/** Arguments without the values that are secrets. */
export function redactArguments(args: readonly string[]): string[] {
  let isValue = false;
  return args.map((argument, index) => {
    const [, option, assigned] = OPTION.exec(argument) ?? [];
    const follows = isValue && option === undefined;
    const isSecret = index > 0 && option !== undefined && isSecretName(option);
    isValue = isSecret && assigned === undefined && !SWITCH.test(option);
    if (follows) return REDACTED;
    if (isSecret && assigned !== undefined) return `${option}=${REDACTED}`;
    const [, name] = /^(\w+)=/.exec(argument) ?? [];
    if (name !== undefined && isSecretName(name)) return `${name}=${REDACTED}`;
    return redactText(argument);
  });
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}

function redactText(text: string): string {
  return text.replace(URL_PASSWORD, `$1:${REDACTED}@`).replace(SECRET_FORM, REDACTED);
}
