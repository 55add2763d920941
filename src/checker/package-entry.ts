import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { jsonErrorAt } from '../diagnostics/json-place.ts';
import { Positions } from '../diagnostics/positions.ts';
import { statOf } from './stamps.ts';

/** What keeps an import of an installed package from its file. Ends of sentences: `… does not resolve: {reason}.` */
export interface Trouble {
  reason: string;
  remedy: string;
}

/** Those that the checker resolves by, and the bundler after it. */
const CONDITIONS = new Set(['node', 'import', 'require', 'module', 'default']);
const MAIN_FIELDS = ['module', 'main'];

type Fields = Record<string, unknown>;

/**
 * Why an entry of an installed package leads nowhere: its package.json is damaged, names what is not there, or lists no such entry.
 *
 * A resolver says only that it found nothing. Which file to look into and what is wrong with it is what a person needs: whoever reads of
 * "no such entry" corrects an import that is right.
 *
 * @param folder - absolute path of the package
 * @param name - as it is imported
 * @param subpath - what is imported of it: `.`, `./deep`
 */
export function explainEntry(folder: string, name: string, subpath: string): Trouble {
  const manifest = `node_modules/${name}/package.json`;
  const repair = repairOf(folder, name);
  const read = readManifest(folder, manifest);
  if (read === null) {
    const missing = subpath === '.' ? 'no package.json and no index.js' : `no package.json and no file \`${subpath}\``;
    return { reason: `node_modules/${name} has ${missing}`, remedy: repair };
  }
  if ('damage' in read) return { reason: read.damage, remedy: repair };
  const { fields } = read;
  if (fields.exports !== undefined && fields.exports !== null) {
    const failure = throughExports({ folder, manifest, exports: fields.exports, name, subpath });
    return { reason: failure.reason, remedy: failure.remedy ?? repair };
  }
  if (subpath !== '.') {
    return {
      reason: `the package \`${name}\` is there, and has no such entry: there is no file \`${subpath}\` in it, and its package.json has no \`exports\``,
      remedy: 'Correct the path behind its name.',
    };
  }
  const remedy = hasTypesAlone(fields) ? 'Import its types with `import type`.' : repair;
  return { reason: withoutMain(fields, manifest), remedy };
}

/** Why `#name` of `imports` leads nowhere; null where nothing can be said of it. */
export function explainImports(folder: string, specifier: string): Trouble | null {
  const read = readManifest(folder, 'package.json');
  if (read === null) return null;
  if ('damage' in read) return { reason: read.damage, remedy: 'Repair it.' };
  const imports = read.fields.imports;
  if (!isObject(imports)) return null;
  const key = keyFor(specifier, Object.keys(imports));
  if (key === null) return null;
  const failure = throughTarget(imports[key.key], `imports${indexed(key.key)}`, {
    folder,
    manifest: 'package.json',
    star: key.star,
    maybePackage: true,
  });
  if (failure === null) return null;
  return { reason: failure.reason, remedy: 'Correct it there, or create the file.' };
}

/** A link leads to a package of the workspace, which is built, not installed. */
function repairOf(folder: string, name: string): string {
  let isLink = false;
  try {
    isLink = !/[\\/]node_modules[\\/]/.test(realpathSync(folder));
  } catch {
    // It went away meanwhile.
  }
  return isLink
    ? 'Build the package, which is a link to a folder of yours, or repair its package.json.'
    : `Install it again (\`npm install ${name}\`); if that does not help, tell its authors.`;
}

type Manifest = { fields: Fields } | { damage: string };

function readManifest(folder: string, shown: string): Manifest | null {
  const path = join(folder, 'package.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    return { damage: `${shown} cannot be read: ${code === 'EISDIR' ? 'it is a directory' : message}` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { damage: notJson(text, shown) };
  }
  if (!isObject(value)) return { damage: `${shown} does not hold an object, but ${kindOf(value)}` };
  return { fields: value };
}

function notJson(text: string, shown: string): string {
  if (text.trim() === '') return `${shown} is empty`;
  const at = jsonErrorAt(text) ?? 0;
  const { line, column } = new Positions(text).span(at, at);
  const character = text.codePointAt(at);
  const found = character === undefined ? 'it ends too early' : `unexpected \`${String.fromCodePoint(character)}\``;
  return `${shown} is not JSON: ${found} in line ${line}, column ${column}`;
}

function hasTypesAlone({ types, typings, main, module }: Fields): boolean {
  return typeof (types ?? typings) === 'string' && main === undefined && module === undefined;
}

function withoutMain(fields: Fields, manifest: string): string {
  for (const field of MAIN_FIELDS) {
    const value = fields[field];
    if (value === undefined) continue;
    if (typeof value !== 'string') return `\`${field}\` of ${manifest} is ${kindOf(value)}, and not the path of a file`;
    return `\`${field}\` of ${manifest} names \`${value}\`, and there is no such file`;
  }
  const types = ['types', 'typings'].find((field) => typeof fields[field] === 'string');
  const beside = types === undefined ? '' : `; \`${types}\` alone is set`;
  return `${manifest} has neither \`exports\` nor \`main\`, and there is no index.js beside it${beside}`;
}

interface Failure {
  reason: string;
  /** Null where the package is to blame. */
  remedy: string | null;
  /** None of the conditions holds: then those behind are asked. */
  unmatched?: true;
}

interface Asked {
  folder: string;
  manifest: string;
  exports: unknown;
  name: string;
  subpath: string;
}

function throughExports({ folder, manifest, exports, name, subpath }: Asked): Failure {
  let entries: Fields = { '.': exports };
  let isSugar = true;
  if (isObject(exports)) {
    const keys = Object.keys(exports);
    const paths = keys.filter((key) => key.startsWith('.'));
    if (paths.length > 0 && paths.length < keys.length) {
      const other = keys.find((key) => !key.startsWith('.'));
      return {
        reason: `\`exports\` of ${manifest} mixes entries such as \`${paths[0]}\` with conditions such as \`${other}\``,
        remedy: null,
      };
    }
    if (paths.length > 0 || keys.length === 0) {
      entries = exports;
      isSugar = false;
    }
  } else if (typeof exports !== 'string' && !Array.isArray(exports)) {
    return { reason: `\`exports\` of ${manifest} is ${kindOf(exports)}, and names no file`, remedy: null };
  }
  const found = keyFor(subpath, Object.keys(entries));
  const remedy = 'Correct the path behind its name; `exports` of its package.json lists the entries.';
  const none = (why: string): Failure => ({
    reason: `the package \`${name}\` is there, and has no such entry${why}`,
    remedy,
  });
  if (found === null) {
    const open = Object.keys(entries).filter((key) => entries[key] !== null);
    return none(`: \`exports\` of ${manifest} lists ${listed(open, subpath)}`);
  }
  if (entries[found.key] === null)
    return none(`: \`exports${indexed(found.key)}\` of ${manifest} is null, which closes it`);
  const field = isSugar ? 'exports' : `exports${indexed(found.key)}`;
  const target = { folder, manifest, star: found.star, maybePackage: false };
  return throughTarget(entries[found.key], field, target) ?? none('');
}

function listed(keys: readonly string[], subpath: string): string {
  if (keys.length === 0) return 'none at all';
  const shown = keys.slice(0, 5).map((key) => `\`${key}\``);
  const more = keys.length > shown.length ? ` and ${keys.length - shown.length} more` : '';
  return `${shown.join(', ')}${more}, not \`${subpath}\``;
}

interface TargetPlace {
  folder: string;
  manifest: string;
  /** What `*` stands for. */
  star: string | null;
  /** Targets of `imports` may be other packages. */
  maybePackage: boolean;
}

/** Why a target leads to no file; null where it leads to one, or to what cannot be judged here. */
function throughTarget(target: unknown, field: string, place: TargetPlace): Failure | null {
  const { folder, manifest, star, maybePackage } = place;
  const at = `\`${field}\` of ${manifest}`;
  const blamed = (reason: string): Failure => ({ reason, remedy: null });
  if (typeof target === 'string') {
    if (!target.startsWith('./')) {
      if (/^\.\.(?:\/|$)/.test(target) || target.startsWith('/')) {
        return blamed(`${at} names \`${target}\`, which is outside of the package`);
      }
      return maybePackage ? null : blamed(`${at} names \`${target}\`, which does not begin with \`./\``);
    }
    const path = star === null ? target : target.replaceAll('*', star);
    if (
      path
        .split(/[\\/]/)
        .slice(1)
        .some((piece) => piece === '..' || piece === 'node_modules')
    ) {
      return blamed(`${at} names \`${path}\`, which leads out of the package`);
    }
    const stats = statOf(join(folder, path));
    if (stats?.isFile()) return null;
    if (stats) return blamed(`${at} names \`${path}\`, which is a directory`);
    const isPattern = star !== null && target.includes('*');
    return {
      reason: `${at} ${isPattern ? 'makes that' : 'names'} \`${path}\`, and there is no such file`,
      remedy: isPattern ? 'Correct the path behind its name, or install the package again.' : null,
    };
  }
  if (Array.isArray(target)) {
    if (target.length === 0) return blamed(`${at} is an empty array, and names no file`);
    const [first] = target.map((each, index) => throughTarget(each, `${field}[${index}]`, place)).filter(Boolean);
    return first ?? null;
  }
  if (!isObject(target)) return blamed(`${at} is ${kindOf(target)}, and names no file`);
  const conditions = Object.keys(target);
  if (conditions.length === 0) return blamed(`${at} is an empty object, and names no file`);
  for (const condition of conditions.filter((key) => CONDITIONS.has(key))) {
    const failure = throughTarget(target[condition], `${field}${indexed(condition)}`, place);
    if (!failure?.unmatched) return failure;
  }
  const only = conditions.map((key) => `\`${key}\``).join(', ');
  const isTypes = conditions.every((key) => key.startsWith('types'));
  return {
    reason: `${at} has files for ${only} alone, and none for Node`,
    remedy: isTypes ? 'Import its types with `import type`.' : 'Import an entry or a package that is made for Node.',
    unmatched: true,
  };
}

/** The entry that a path is of: itself, else the longest pattern that it matches. */
function keyFor(path: string, keys: readonly string[]): { key: string; star: string | null } | null {
  if (keys.includes(path) && !path.includes('*')) return { key: path, star: null };
  let best: { key: string; star: string } | null = null;
  for (const key of keys) {
    const at = key.indexOf('*');
    if (at < 0) continue;
    const [before, after] = [key.slice(0, at), key.slice(at + 1)];
    if (path.length < key.length || !path.startsWith(before) || !path.endsWith(after)) continue;
    if (best !== null && best.key.indexOf('*') >= at) continue;
    best = { key, star: path.slice(before.length, path.length - after.length) };
  }
  return best;
}

function indexed(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `["${key}"]`;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
