import type { DefinitionFact, ModuleFacts } from '../compiler/index.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import type { Diagnostic } from '../diagnostics/types.ts';

/**
 * Slugs of packages that are taken. The rules see the program's own modules (duplicate-id); which modules of packages take part turns up
 * when workflows are bundled.
 *
 * @param own - the program's own modules
 * @param installed - those of packages
 */
export function diagnoseTakenSlugs(own: readonly ModuleFacts[], installed: readonly ModuleFacts[]): Diagnostic[] {
  const first = new Map<string, Slug>();
  const found: Diagnostic[] = [];
  for (const each of [own, installed].flatMap((modules) => modules.flatMap(slugsOf))) {
    const key = `${each.kind === 'workflow' ? 'workflow' : 'step'} ${each.slug.toLowerCase()}`;
    const other = first.get(key);
    if (!other) first.set(key, each);
    else if (installed.includes(each.module)) found.push(taken(other, each));
  }
  return found;
}

interface Slug {
  kind: DefinitionFact['kind'];
  slug: string;
  module: ModuleFacts;
  span: DefinitionFact['span'];
}

function slugsOf(module: ModuleFacts): Slug[] {
  return module.definitions.flatMap(({ kind, slug, slugSpan, nameSpan }) =>
    slug === null || kind === 'credential' ? [] : [{ kind, slug, module, span: slugSpan ?? nameSpan }],
  );
}

/** At the one that its author can change, if there is such. */
function taken({ kind, slug, module, span }: Slug, other: Slug): Diagnostic {
  const { file } = other.module;
  const differs = other.slug === slug ? '' : ` (there \`${other.slug}\`: case does not count)`;
  return createDiagnostic('duplicate-id', {
    file: module.file,
    span,
    message: `The ${kind} \`${slug}\` has the id of the ${other.kind} at ${file}:${other.span.line}:${other.span.column}${differs}.`,
    remedy: 'Give one of them another slug, or see that a package is installed once.',
    related: [{ file, span: other.span, message: `the ${other.kind} \`${other.slug}\`` }],
  });
}
