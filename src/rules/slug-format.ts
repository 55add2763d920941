import type { DefinitionFact } from '../compiler/facts.ts';
import type { Fix } from '../diagnostics/types.ts';
import { defineRule } from './define-rule.ts';

const VALID = /^[a-zA-Z0-9_-]{1,64}$/;
const LONGEST = 64;
/** The one name that an object cannot have as a key of its own in the everyday way. */
const RESERVED = '__proto__';

function isValid(slug: string): boolean {
  return VALID.test(slug) && slug !== RESERVED;
}

export const slugFormat = defineRule({
  name: 'slug-format',
  by: 'program',
  description: 'A slug that is no valid name of a tool',
  explanation: {
    mistake:
      'The slug of an action, a workflow or an agent holds anything but letters from A to Z, digits, `_` and `-`, or more than 64 of them, or none.',
    why: 'The slug is the id of the definition, and the name under which models call it as a tool. Providers of models refuse requests with a tool of another name.',
    allowed: 'Any other texts as `name` and `description`; any `key` of a credential.',
    unseen: 'Slugs that are computed, of which definition-not-static speaks.',
  },
  bad: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const createIssue = defineAction({
  slug: 'linear.create issue',
  input: z.object({ title: z.string() }),
  output: z.string(),
  run: async ({ title }) => title,
});
`,
  good: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const createIssue = defineAction({
  slug: 'linear-create-issue',
  input: z.object({ title: z.string() }),
  output: z.string(),
  run: async ({ title }) => title,
});
`,
  fixable: true,
  check({ program, report }) {
    const taken = new Set<string>();
    for (const { definitions } of program.modules)
      for (const { slug } of definitions) if (slug !== null) taken.add(slug.toLowerCase());
    for (const { file, definitions } of program.modules)
      for (const definition of definitions) {
        const { kind, slug, slugSpan } = definition;
        if (kind === 'credential' || slug === null || slugSpan === null || isValid(slug)) continue;
        report({
          file,
          span: slugSpan,
          message: `The slug ${JSON.stringify(slug)} ${reasonOf(slug)}, and models call the ${kind} by it as a tool.`,
          remedy: 'Use letters from A to Z, digits, `_` and `-`, 64 of them at most; `name` may hold anything.',
          fix: fixOf(definition, taken),
        });
      }
  },
});

function reasonOf(slug: string): string {
  if (slug === '') return 'is empty';
  if (slug === RESERVED) return 'is a name that objects keep for themselves';
  const strange = /[^a-zA-Z0-9_-]/u.exec(slug)?.[0];
  return strange === undefined ? `has ${slug.length} characters` : `holds ${JSON.stringify(strange)}`;
}

/** Only where the slug is written in place, and the new one is free. */
function fixOf({ slug, slugSpan, slugLiteral }: DefinitionFact, taken: Set<string>): Fix | undefined {
  if (slug === null || slugSpan === null || !slugLiteral) return undefined;
  const name = slug === RESERVED ? 'proto' : toSlug(slug);
  if (!isValid(name) || taken.has(name.toLowerCase())) return undefined;
  taken.add(name.toLowerCase());
  return {
    title: `Name it ${name}`,
    edits: [{ start: slugSpan.start + 1, end: slugSpan.end - 1, text: name }],
  };
}

/** `Anfrage prüfen!` is `Anfrage-prufen`. */
function toSlug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^a-zA-Z0-9_-]+/g, '-')
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, '');
}
