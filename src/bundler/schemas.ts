import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createContext, Script } from 'node:vm';
import type { DefinitionFact, ModuleFacts } from '../compiler/index.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { type CredentialShape, credentialVariables } from '../manifest/credential-variables.ts';
import type { JsonSchema, ManifestCredential } from '../manifest/schema.ts';
import type { CompatSdk } from '../sdk-names.ts';
import type { DefinitionSchemas, SchemasBySlug } from './program.ts';
import { type BundleResult, bundle } from './rolldown.ts';
import { sdkNames } from './sdk-imports.ts';
import { virtualModules } from './virtual.ts';
import { installedModules, type LoadModule, userModules } from './workflow-bundle.ts';

/**
 * JSON Schemas of definitions. A schema is a value of the user's program, so its module is run: reduced to its schemas, bundled
 * with zod, in a context of its own that has nothing of the host. What comes out is a string.
 */

/** Longer than any schema takes; an endless loop in a module must not hang the build. */
const TIMEOUT = 3_000;

export interface SchemaBundleRequest {
  root: string;
  outDir: string;
  /** Absolute paths of the modules that have definitions, sorted. */
  entries: readonly string[];
  packages: readonly string[];
  /** SDKs whose import names lead to pawl. */
  compat: readonly CompatSdk[];
  /** Code of a user's module in the `schemas` target. */
  load: LoadModule;
  /** Whether a file of a package is a module of the build. */
  installed: (path: string) => boolean;
}

export function bundleSchemas({
  root,
  outDir,
  entries,
  packages,
  compat,
  load,
  installed,
}: SchemaBundleRequest): Promise<BundleResult> {
  return bundle({
    root,
    outDir,
    packages,
    entry: `${entries.map((path) => `import ${JSON.stringify(path)};\n`).join('')}${COLLECT}`,
    platform: 'neutral',
    format: 'iife',
    plugins: [
      ...sdkNames(compat),
      virtualModules('schemas'),
      userModules(load, entries),
      installedModules(load, installed),
    ],
    wantsImporters: (_chunk, assets) => assets.length > 0,
    options: {
      treeshake: {
        moduleSideEffects: [{ test: /[\\/]node_modules[\\/]|^\0pawl:(?!entry)/, sideEffects: false }],
        propertyReadSideEffects: false,
        unknownGlobalSideEffects: false,
      },
      conditionNames: ['workflow', 'edge-light', 'worker', 'browser', 'import', 'module', 'default'],
      aliasFields: [['browser']],
      transform: { target: 'node20.19', define: { 'process.env.NODE_ENV': '"production"' } },
    },
  });
}

/** pawl's own zod reads the schemas of any zod 4. */
const ZOD = join(dirname(createRequire(import.meta.url).resolve('zod/package.json')), 'v4/core/index.js');

/** Runs last. Schemas of other libraries have a JSON form when they implement Standard JSON Schema. */
const COLLECT = `
import { toJSONSchema } from ${JSON.stringify(ZOD)};
const form = (schema, io) => {
  if (schema === undefined || schema === null) return undefined;
  try {
    if (schema._zod) return { value: toJSONSchema(schema, { io }) };
    const standard = schema['~standard'];
    if (standard && standard.jsonSchema) return { value: standard.jsonSchema[io]({ target: 'draft-2020-12' }) };
    return { problem: 'it is neither a schema of zod 4 nor one with a JSON Schema form of its own' };
  } catch (error) {
    return { problem: String(error && error.message) };
  }
};
const names = (fields) =>
  fields && !Array.isArray(fields)
    ? Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : null]))
    : fields;
const shape = ({ key, kind, fields, grant, authentication, resolve }) =>
  ({ key, kind, fields: names(fields), grant, authentication, resolved: Boolean(resolve) });
__pawl.result = JSON.stringify(
  __pawl.schemas.map(([slug, { input, output, credentials }]) => [
    slug,
    { input: form(input, 'input'), output: form(output, 'output'), credentials: (credentials ?? []).map(shape) },
  ]),
);
`;

/** Made inside of the context: nothing of the host goes in. Everything but schemas is a function that does nothing. */
const PRELUDE = `"use strict"; const __pawl = (() => {
  const nothing = (own) => new Proxy(own, { get: (_, key) => (key in own ? own[key] : () => function () {}) });
  const schemas = [];
  const schema = (slug, value) => (schemas.push([slug, value]), { slug });
  const defineCredential = (options) => options;
  return { schemas, result: '', api: nothing({ defineCredential }), compiled: nothing({ schema }) };
})();`.replaceAll('\n', ' ');

interface Form {
  value?: JsonSchema;
  problem?: string;
}

export interface SchemaResult {
  schemas: SchemasBySlug;
  diagnostics: Diagnostic[];
}

/** A place in the bundle, led back to the user's file. */
export type Locate = (line: number, column: number) => { file: string; line: number; column: number } | null;

/**
 * Runs the schema bundle and takes the JSON Schemas out.
 *
 * @param code - the bundle
 * @param modules - whose definitions are asked about
 * @param locate - leads a place in `code` back
 */
export function evaluateSchemas(code: string, modules: readonly ModuleFacts[], locate: Locate): SchemaResult {
  let text: unknown;
  try {
    const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
    text = new Script(`(() => { ${PRELUDE}${code}\nreturn __pawl.result; })()`, { filename: FILENAME }).runInContext(
      context,
      {
        timeout: TIMEOUT,
      },
    );
  } catch (error) {
    return { schemas: new Map(), diagnostics: [failed(error, modules, locate)] };
  }
  const forms: [slug: string, { input?: Form; output?: Form; credentials: Shape[] }][] = JSON.parse(String(text));
  const definitions = new Map<string, { module: ModuleFacts; fact: DefinitionFact }>();
  for (const module of modules)
    for (const fact of module.definitions) if (fact.slug !== null) definitions.set(fact.slug, { module, fact });
  const schemas = new Map<string, DefinitionSchemas>();
  const diagnostics: Diagnostic[] = [];
  for (const [slug, { input, output, credentials }] of forms) {
    schemas.set(slug, {
      ...(input?.value && { input: input.value }),
      ...(output?.value && { output: output.value }),
      ...(credentials.length > 0 && { credentials: credentials.map(describeCredential) }),
    });
    const definition = definitions.get(slug);
    if (!definition) continue;
    for (const [side, form] of [
      ['input', input],
      ['output', output],
    ] as const) {
      if (form?.problem === undefined) continue;
      diagnostics.push(
        createDiagnostic('schema-without-json-form', {
          file: definition.module.file,
          span: definition.fact.nameSpan,
          message: `The ${side} schema of \`${slug}\` has no JSON Schema form: ${form.problem.replace(/\.$/, '')}.`,
          remedy: 'Values are still parsed with it; models and tools that read the manifest see no schema.',
        }),
      );
    }
  }
  return { schemas, diagnostics };
}

interface Shape extends CredentialShape {
  resolved: boolean;
}

function describeCredential(shape: Shape): ManifestCredential {
  const kind = shape.kind === 'oauth' ? 'oauth' : 'fields';
  const variables = credentialVariables(shape);
  const fields = kind === 'oauth' ? ['accessToken'] : Object.keys(variables);
  return { key: shape.key, kind, fields, variables, ...(shape.resolved && { resolved: true }) };
}

const FILENAME = 'pawl-schemas.js';
const FRAME = /pawl-schemas\.js:(\d+):(\d+)/g;

function failed(error: unknown, modules: readonly ModuleFacts[], locate: Locate): Diagnostic {
  const { message, stack } = describeForeign(error);
  let place: ReturnType<Locate> = null;
  for (const [, line, column] of stack.matchAll(FRAME)) place ??= locate(Number(line), Number(column));
  const first = modules.find(({ definitions }) => definitions.length > 0);
  const at = place ?? { file: first?.file ?? '', line: 1, column: 1 };
  return createDiagnostic('schema-not-static', {
    file: at.file,
    span: { start: 0, end: 0, line: at.line, column: at.column, endLine: at.line, endColumn: at.column },
    message: `The schemas of definitions could not be read at build time: ${message}.`,
    remedy:
      'Build schemas from constants alone, in modules that read no file, environment or network when they are loaded.',
  });
}

/** An error of another realm, which may be anything. */
function describeForeign(error: unknown): { message: string; stack: string } {
  const { message, stack, code } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
    return { message: `they were not ready within ${TIMEOUT / 1000} seconds`, stack: '' };
  const text = typeof message === 'string' ? message : String(error);
  return { message: text.replace(/\.$/, ''), stack: typeof stack === 'string' ? stack : '' };
}
