/**
 * Values of credentials that this process knows, so that nothing which is recorded or printed shows them: in errors they are replaced by
 * their names; results, chunks and payloads that hold one are refused, for a result that was altered would be worse than none.
 *
 * They are looked for as they are, and as JSON, URLs and base64 write them.
 */

interface Known {
  /** Forms by secret, the one that was asked for last at the end. */
  secrets: Map<string, Iterable<string>>;
  /** Names by the forms of secrets that are long enough to be told from other text anywhere. */
  long: Map<string, string>;
  /** Names by secrets that count as whole words only: `test` must not be cut out of `latest`. */
  short: Map<string, string>;
  /** Of all of them, and of the long ones alone. */
  patterns: { all: RegExp; long: RegExp } | null;
}

/** pawl exists in several copies in a process: bundles carry their own. */
const KEY = Symbol.for('pawl.secrets.1');

/** Shorter ones are whole words. */
const LONG = 8;
/** What is shorter than that is no secret, and would be found everywhere. */
const SHORTEST = 4;

/** Secrets that are kept: tokens come and go, and one that nobody has asked for in long opens nothing. All results are searched for each. */
const MOST = 100;

function known(): Known {
  const holder = globalThis as unknown as Record<symbol, Known | undefined>;
  holder[KEY] ??= { secrets: new Map(), long: new Map(), short: new Map(), patterns: null };
  return holder[KEY];
}

/**
 * Notes a secret.
 *
 * @param name - what is shown in its place: `linear.apiKey`
 */
export function keepSecret(secret: string, name: string): void {
  if (secret.length < SHORTEST) return;
  const { secrets, long, short } = known();
  const forms = secrets.get(secret) ?? (secret.length < LONG ? [secret] : formsOf(secret));
  const isNew = !secrets.delete(secret);
  secrets.set(secret, forms);
  if (!isNew) return;
  const label = name.replace(/[^\w.-]/g, '_');
  for (const form of forms) (secret.length < LONG ? short : long).set(form, label);
  const [oldest] = secrets.keys();
  if (secrets.size > MOST && oldest !== undefined) {
    for (const form of secrets.get(oldest) ?? []) if (!long.delete(form)) short.delete(form);
    secrets.delete(oldest);
  }
  known().patterns = null;
}

/** A secret as texts may hold it. */
function formsOf(secret: string): Set<string> {
  const escaped = JSON.stringify(secret).slice(1, -1);
  // As Node shows texts within objects.
  const shown = escaped.replaceAll('\\"', '"');
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  // As OAuth writes ids and secrets before it makes a `Basic` header of them.
  const strict = form.replace(/[-_.*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return new Set([
    secret,
    escaped,
    shown,
    shown.replaceAll("'", "\\'"),
    JSON.stringify(escaped).slice(1, -1),
    encodeURIComponent(secret),
    inUrl(secret),
    form,
    strict,
    ...base64Of(secret),
    ...base64Of(form),
    ...base64Of(strict),
  ]);
}

/** As `URL` writes it into a query. */
function inUrl(secret: string): string {
  const url = new URL('http://localhost/');
  url.search = `=${secret}`;
  return url.search.slice(2);
}

/** The characters that base64 has of it wherever it begins: `Basic` headers hold it behind a name. */
function base64Of(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].flatMap((before) => {
    const all = new Uint8Array(before + bytes.length);
    all.set(bytes, before);
    const text = btoa(String.fromCharCode(...all));
    const whole = text.slice([0, 2, 3][before], Math.floor(((before + bytes.length) * 8) / 6));
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** A text in which secrets are replaced by their names: `[credential linear.apiKey]`. */
export function redact(text: string): string {
  return knowsSecrets() ? text.replace(patterns().all, nameOf) : text;
}

/** The same of a text that a program may read, JSON say: short ones stay, for they may be numbers or words of its format. */
export function redactOutput(text: string): string {
  return known().long.size > 0 ? text.replace(patterns().long, nameOf) : text;
}

function nameOf(form: string): string {
  const { long, short } = known();
  return `[credential ${long.get(form) ?? short.get(form)}]`;
}

function patterns(): { all: RegExp; long: RegExp } {
  const it = known();
  if (it.patterns !== null) return it.patterns;
  const longestFirst = (forms: Iterable<string>): string =>
    [...forms]
      .sort((a, b) => b.length - a.length)
      .map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('|');
  const long = longestFirst(it.long.keys());
  const words = it.short.size === 0 ? '' : `(?<!\\w)(?:${longestFirst(it.short.keys())})(?!\\w)`;
  const all = [long, words].filter((part) => part !== '').join('|');
  it.patterns = { all: new RegExp(all, 'g'), long: new RegExp(long, 'g') };
  return it.patterns;
}

/** Whether there is anything to look for. */
export function knowsSecrets(): boolean {
  const { long, short } = known();
  return long.size > 0 || short.size > 0;
}

/** The name of a secret that a text holds; null when it holds none, or none that is long enough to be sure. */
export function secretIn(text: string): string | null {
  for (const [form, name] of known().long) if (text.includes(form)) return name;
  return null;
}
