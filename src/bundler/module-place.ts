import remapping from '@jridgewell/remapping';
import MagicString from 'magic-string';
import type { Plugin } from 'rolldown';
import { parseSync } from 'rolldown/utils';
import type { ModuleCode } from './files.ts';
import type { RawMap } from './maps.ts';

/**
 * Keeps the place of a module that moves into the step bundle: `import.meta.url`, `import.meta.dirname`, `import.meta.filename` and, in
 * CommonJS, `__dirname` and `__filename` speak of the user's file, not of the bundle. The output folder may be moved along
 * with the project, so they are made from the bundle's own place.
 */
const HELPER = 'pawl:place';

const MENTIONS = /\bimport\.meta\b|\b__(?:dirname|filename)\b/;

/**
 * @param path - of the module, relative to the folder of the bundle, with `/`
 * @param filename - of the module, for its language
 */
export function keepPlace(module: ModuleCode, path: string, filename: string): ModuleCode {
  if (!MENTIONS.test(module.code)) return module;
  const { program, module: esm, errors } = parseSync(filename, module.code);
  if (errors.length > 0) return module;
  const isModule = esm.hasModuleSyntax;
  const found = isModule ? metaProperties(program) : commonJsNames(program);
  if (found.length === 0) return module;
  const text = new MagicString(module.code);
  let local = '__pawl_place';
  while (module.code.includes(local)) local += '_';
  const helper = isModule ? local : `require(${JSON.stringify(HELPER)})`;
  for (const { start, end, what } of found)
    text.overwrite(start, end, `${helper}.${what}(${JSON.stringify(asUrl(path))})`);
  if (isModule) text.append(`\nimport * as ${local} from ${JSON.stringify(HELPER)};\n`);
  const map = text.generateMap({ source: filename, hires: 'boundary' }) as unknown as RawMap;
  return { code: text.toString(), map: module.map ? chain(map, module.map) : map };
}

/** The helper makes a URL of it, in which these letters mean something else. */
function asUrl(path: string): string {
  return path.replace(/[%?#\\\t\n\r]/g, encodeURIComponent);
}

function chain(last: RawMap, first: RawMap): RawMap {
  const inputs = [last, first] as unknown as Parameters<typeof remapping>[0];
  return remapping(inputs, () => null) as unknown as RawMap;
}

/** The helper that `keepPlace` imports. Also `__dirname` in a helper that Node would load as CommonJS ends here. */
export function placeHelper(): Plugin {
  const id = `\0${HELPER}`;
  return {
    name: HELPER,
    resolveId: { order: 'pre', filter: { id: new RegExp(`^${HELPER}$`) }, handler: () => id },
    load: {
      order: 'pre',
      filter: { id: new RegExp(`^${id}$`) },
      handler: () => ({
        moduleSideEffects: false,
        code: `import { dirname as directoryOf } from 'node:path';
import { fileURLToPath } from 'node:url';
export const url = (path) => new URL(path, import.meta.url).href;
export const filename = (path) => fileURLToPath(url(path));
export const dirname = (path) => directoryOf(filename(path));
`,
      }),
    },
  };
}

interface Mention {
  start: number;
  end: number;
  what: 'url' | 'dirname' | 'filename';
}

function metaProperties(program: unknown): Mention[] {
  const found: Mention[] = [];
  walk(program, ({ type, start, end, object, property, computed }) => {
    if (type !== 'MemberExpression' || computed || !isNode(object) || object.type !== 'MetaProperty') return;
    const { name } = property as { name?: string };
    if (name === 'url' || name === 'dirname' || name === 'filename') found.push({ start, end, what: name });
  });
  return found;
}

function commonJsNames(program: unknown): Mention[] {
  const found: Mention[] = [];
  walk(program, ({ type, name, start, end }, key, parent) => {
    if (type !== 'Identifier' || (name !== '__dirname' && name !== '__filename')) return;
    const isMember = key === 'property' && !parent?.computed;
    const isKey = key === 'key' && !parent?.computed && !parent?.shorthand;
    if (!isMember && !isKey) found.push({ start, end, what: name === '__dirname' ? 'dirname' : 'filename' });
  });
  return found;
}

function walk(node: unknown, visit: (node: Node, key: string, parent: Node | null) => void): void {
  const step = (value: unknown, key: string, parent: Node | null): void => {
    if (Array.isArray(value)) {
      for (const each of value) step(each, key, parent);
    } else if (isNode(value)) {
      visit(value, key, parent);
      for (const [name, child] of Object.entries(value)) if (typeof child === 'object') step(child, name, value);
    }
  };
  step(node, '', null);
}

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}
