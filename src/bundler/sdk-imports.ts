import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import remapping from '@jridgewell/remapping';
import MagicString from 'magic-string';
import type { Plugin } from 'rolldown';
import { realPath, toRelative } from '../checker/disk-resolve.ts';
import { COMPAT_EXTRAS, COMPAT_NAMES, type CompatSdk, compatEntry } from '../sdk-names.ts';
import { type CompileOptions, compile, mayHaveDirectives, readSpecifiers } from '../compiler/index.ts';
import type { RawMap } from './maps.ts';
import { ownFiles } from './own.ts';
import { packageHome } from './package-home.ts';
import { VIRTUAL } from './rolldown.ts';

const SERDE = `${VIRTUAL}serde`;
const SERDE_ENTRY = 'pawl/internal/serde';
const EXTRAS = `${VIRTUAL}compat/`;

/** Leads the import names of other SDKs to pawl's entries, in bundles; packages that use such an SDK included. */
export function sdkNames(compat: readonly CompatSdk[]): Plugin[] {
  return compat.length === 0 ? [] : [namesOf(compat)];
}

function namesOf(compat: readonly CompatSdk[]): Plugin {
  return {
    name: 'pawl:compat',
    resolveId: {
      order: 'pre',
      filter: { id: COMPAT_NAMES },
      async handler(id, importer, { kind }) {
        const entry = compatEntry(id, compat);
        if (entry === null || !hasEntry(entry)) return null;
        if (entry === SERDE_ENTRY) return SERDE;
        if (Object.hasOwn(COMPAT_EXTRAS, entry)) return EXTRAS + entry;
        return await this.resolve(entry, importer as never, { kind, skipSelf: true });
      },
    },
    load: {
      order: 'pre',
      filter: { id: new RegExp(`^(?:${SERDE}$|${EXTRAS})`) },
      handler: (id) => ({
        moduleSideEffects: false,
        code: id === SERDE ? serde() : withExtras(id.slice(EXTRAS.length)),
      }),
    },
  };
}

function serde(): string {
  return ['serialize', 'deserialize']
    .map((name) => `export const WORKFLOW_${name.toUpperCase()} = Symbol.for('workflow-${name}');\n`)
    .join('');
}

function withExtras(entry: string): string {
  const { all, names, from } = COMPAT_EXTRAS[entry] as (typeof COMPAT_EXTRAS)[string];
  return `export * from '${all}';\nexport { ${names.join(', ')} } from '${from}';\n`;
}

/** An entry that this version of pawl does not have leads nowhere: the import is reported as it stands. */
function hasEntry(entry: string): boolean {
  return entry === 'pawl' || entry === SERDE_ENTRY || existsSync(ownFiles().entry(entry.slice('pawl/'.length)));
}

/** What a bundler of applications makes of a module of the app. */
export interface AppModule {
  code: string;
  map: unknown;
}

export interface AppModuleOptions {
  /** Absolute, without a query. */
  filename: string;
  root: string;
  compat: readonly CompatSdk[];
}

/**
 * A module of an application: workflows are references, and imports of other SDKs lead to pawl.
 *
 * @param source - text of the module
 * @returns null when there is nothing to change
 */
export function compileAppModule(source: string, { filename, root, compat }: AppModuleOptions): AppModule | null {
  const renamed = compat.length > 0 && LIKELY.test(source) ? rename(source, filename, compat) : null;
  const text = renamed?.code ?? source;
  if (!mayHaveDirectives(text)) return renamed;
  const { facts, outputs } = compile(text, { ...placeOf(filename, root), targets: ['client'] });
  const output = facts ? outputs.client : undefined;
  if (!output) return renamed;
  if (!renamed) return { code: output.code, map: output.map };
  return { code: output.code, map: output.map ? chain(output.map as RawMap, renamed.map) : renamed.map };
}

/** What ids of a module begin with: as in the build, by its real path. */
function placeOf(filename: string, root: string): Pick<CompileOptions, 'filename' | 'packageName'> {
  const project = realPath(resolve(root));
  const file = toRelative(project, realPath(resolve(project, filename)));
  const home = packageHome(project, file);
  return home ? { filename: home.path, packageName: home.name } : { filename: file };
}

const LIKELY = /['"`](?:workflow(?:\/|['"`])|@workflow\/|@keystrokehq\/keystroke)/;

function rename(source: string, filename: string, compat: readonly CompatSdk[]): { code: string; map: RawMap } | null {
  const text = new MagicString(source);
  for (const { specifier, start, end } of readSpecifiers(source, filename)) {
    const entry = compatEntry(specifier, compat);
    if (entry !== null && hasEntry(entry)) text.overwrite(start, end, JSON.stringify(entry));
  }
  if (!text.hasChanged()) return null;
  return {
    code: text.toString(),
    map: text.generateMap({ source: filename, hires: 'boundary', includeContent: true }) as unknown as RawMap,
  };
}

function chain(last: RawMap, first: RawMap): RawMap {
  const inputs = [last, first] as unknown as Parameters<typeof remapping>[0];
  return remapping(inputs, () => null) as unknown as RawMap;
}
