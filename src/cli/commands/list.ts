import { readFileSync } from 'node:fs';
import type { BuildOutput } from '../../bundler/index.ts';
import { PawlError } from '../../errors.ts';
import type { ManifestCredential } from '../../manifest/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { printFindings } from '../findings.ts';
import type { Output } from '../output.ts';
import { shortName } from '../project.ts';
import { schemaText } from '../schema-text.ts';
import { visible, visibleLine } from '../visible.ts';

const KINDS = ['action', 'workflow', 'agent', 'step'] as const;
type Kind = (typeof KINDS)[number];

/** `pawl list`: what the build discovers, and where it comes from. */
export const listCommand = defineCommand({
  name: 'list',
  positionals: '[kinds...]',
  description: 'List actions, workflows, agents and steps, with their schemas',
  details:
    'Shows what a build would discover in the sources as they are now: id or slug, where it is defined (a file, or the package that brings\n' +
    'it), its input and output, and the credentials that it needs, by who is asked for them: a `resolve` that may give them, and the\n' +
    'environment variables that may have them. Nothing is written.',
  options: { ...JSON_OPTION },
  examples: [
    { line: 'pawl list', does: 'everything' },
    { line: 'pawl list actions agents', does: 'only these kinds' },
    { line: 'pawl list actions --json', does: 'for programs, with JSON Schemas' },
  ],
  async run({ args, root, out }) {
    const kinds = args.length === 0 ? KINDS : args.map(readKind);
    const { loadConfig } = await import('../../config/index.ts');
    const { build } = await import('../../bundler/index.ts');
    const { config, source } = await loadConfig(root);
    const { output, diagnostics } = await build({ root, config, configSource: source ?? undefined, write: false });
    if (output === null) {
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      await printFindings(errors, { format: null, root, out, source: () => null });
      return 1;
    }
    const found = itemsOf(output.manifest, root, config.credentials?.resolve !== undefined).filter(({ kind }) =>
      kinds.includes(kind),
    );
    if (out.json) out.printJson(found);
    else if (found.length === 0) out.note(`The build finds none of these: ${kinds.join(', ')}.`);
    else print(found, out);
    return 0;
  },
});

/** Singular or plural. */
function readKind(word: string): Kind {
  const kind = KINDS.find((each) => word === each || word === `${each}s`);
  if (kind) return kind;
  throw new PawlError('PAWL_USAGE', `There is no kind \`${word}\`.`, {
    remedy: `It is one of ${KINDS.map((each) => `${each}s`).join(', ')}.`,
  });
}

interface Item {
  kind: Kind;
  /** The slug of a definition, else the id. */
  id: string;
  style: 'directive' | 'definition';
  name: string;
  description?: string;
  /** Relative to the root. */
  file: string;
  line: number;
  column: number;
  /** The installed package that brings it. */
  package?: string;
  input?: unknown;
  output?: unknown;
  credentials?: ItemCredential[];
  options?: object;
}

interface ItemCredential extends Omit<ManifestCredential, 'resolved'> {
  /** Whose `resolve` is asked before the environment, in that order. */
  resolvers: ('definition' | 'configuration')[];
}

/** @param asksConfig whether the configuration has a `resolve`, which is asked for every credential */
function itemsOf(manifest: BuildOutput['manifest'], root: string, asksConfig: boolean): Item[] {
  const given = ({ resolved, ...credential }: ManifestCredential): ItemCredential => ({
    ...credential,
    resolvers: [...(resolved ? (['definition'] as const) : []), ...(asksConfig ? (['configuration'] as const) : [])],
  });
  const items: Item[] = [];
  const add = (kind: Kind, id: string, style: Item['style'], { name, description, file, span }: Described): Item => {
    const origin = packageOf(file, root);
    const item: Item = {
      kind,
      id,
      style,
      name,
      ...(description !== undefined && { description }),
      file,
      line: span.line,
      column: span.column,
      ...(origin !== null && { package: origin }),
    };
    items.push(item);
    return item;
  };
  for (const [id, step] of Object.entries(manifest.steps)) {
    // Those of the agent loop are pawl's own.
    if (id.startsWith('pawl/') || step.style === 'agent') continue;
    const isAction = step.style === 'action';
    const { input, output, credentials, options } = step;
    Object.assign(add(isAction ? 'action' : 'step', id, isAction ? 'definition' : 'directive', step), {
      ...(isAction && { input: input ?? null, output: output ?? null, credentials: (credentials ?? []).map(given) }),
      options,
    });
  }
  for (const [id, workflow] of Object.entries(manifest.workflows)) {
    const item = add('workflow', id, workflow.style, workflow);
    if (workflow.style === 'definition')
      Object.assign(item, { input: workflow.input ?? null, output: workflow.output ?? null });
  }
  for (const [id, agent] of Object.entries(manifest.agents)) add('agent', id, 'definition', agent);
  return items.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}

type Described = Pick<Item, 'name' | 'description' | 'file'> & { span: { line: number; column: number } };

/** `pawl-chat@2.1.0` of a file that is installed. */
function packageOf(file: string, root: string): string | null {
  const folder = /^(.*(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
  if (folder === undefined) return null;
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const version = versionOf(`${root}/${folder}/package.json`);
  return version === null ? name : `${name}@${version}`;
}

function versionOf(path: string): string | null {
  try {
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version?: string };
    return version ?? null;
  } catch {
    return null;
  }
}

function print(items: readonly Item[], out: Output): void {
  const c = out.colors;
  let last: Kind | null = null;
  const nameOf = ({ id }: Item): string => visibleLine(shortName(id));
  const width = Math.min(32, Math.max(...items.map((item) => nameOf(item).length)));
  for (const item of items) {
    const { kind, file, line, column, description } = item;
    if (kind !== last) out.line(`${last === null ? '' : '\n'}${c.bold(`${kind}s`)}`);
    last = kind;
    const origin = item.package === undefined ? '' : `${item.package}  `;
    out.line(`  ${c.cyan(nameOf(item).padEnd(width))}  ${c.dim(`${origin}${visible(`${file}:${line}:${column}`)}`)}`);
    if (description !== undefined) out.line(`    ${visibleLine(description)}`);
    for (const side of ['input', 'output'] as const)
      if (item[side] !== undefined) out.line(`    ${c.dim(side.padEnd(6))} ${sideText(item[side])}`);
    for (const credential of item.credentials ?? [])
      out.line(`    ${c.dim('needs')}  ${visibleLine(credential.key)}: ${sourcesText(credential)}`);
    const options = Object.entries(item.options ?? {}).map(([name, value]) => `${name} ${String(value)}`);
    if (options.length > 0) out.line(`    ${c.dim('step')}   ${options.join(', ')}`);
  }
}

const RESOLVERS = { definition: 'its `resolve`', configuration: 'that of pawl.config' } as const;

/** Who is asked for the values, first to last: ``its `resolve`, else LINEAR_API_KEY``. */
function sourcesText({ resolvers, variables }: ItemCredential): string {
  const names = Object.values(variables).join(', ');
  if (resolvers.length === 0) return names;
  const all = resolvers.map((each) => RESOLVERS[each]).join(', ');
  return `${resolvers[0] === 'configuration' ? '`resolve` of pawl.config' : all}, else ${names}`;
}

function sideText(schema: unknown): string {
  return schema === null ? '(no JSON Schema form)' : visible(schemaText(schema));
}
