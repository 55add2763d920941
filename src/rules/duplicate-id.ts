import type { Span } from '../diagnostics/types.ts';
import { defineRule } from './define-rule.ts';
import type { Program } from './program.ts';

/** Ids of one table of the manifest must differ. Slugs differ in more than case: they become names of files, URLs and tools. */
export const duplicateId = defineRule({
  name: 'duplicate-id',
  by: 'program',
  description: 'Two steps, workflows, agents or classes have one id',
  explanation: {
    mistake:
      'Two functions pin the same id, two definitions have one slug (whatever the case), or a pinned id equals another function’s own.',
    why: 'The event log, the manifest and every call name a step by its id alone; with two of one name it is a matter of luck which one runs.',
    allowed: 'One slug for an action and a workflow: they are looked up in different tables.',
    unseen: 'Ids in packages that are not part of the build.',
  },
  bad: `export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.stepId = 'charge';

export async function chargeAgain(amount: number) {
  'use step';
  return amount;
}
chargeAgain.stepId = 'charge';
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.stepId = 'charge';

export async function chargeAgain(amount: number) {
  'use step';
  return amount;
}
chargeAgain.stepId = 'charge-again';
`,
  check({ program, report }) {
    const first = new Map<string, Owner>();
    for (const owner of owners(program)) {
      const key = `${owner.table} ${owner.slug ? owner.id.toLowerCase() : owner.id}`;
      const other = first.get(key) ?? (owner.slug ? undefined : first.get(`${owner.table} ${owner.id.toLowerCase()}`));
      if (!other) {
        first.set(key, owner);
        continue;
      }
      const differs = other.id === owner.id ? '' : ` (there \`${other.id}\`: case does not count)`;
      report({
        file: owner.file,
        span: owner.span,
        message: `The ${owner.what} \`${owner.id}\` has the id of ${other.what === owner.what ? 'another' : 'the'} ${other.what} at ${other.file}:${other.span.line}:${other.span.column}${differs}.`,
        remedy: owner.slug ? 'Give one of them another slug.' : 'Rename one of them, or pin another id.',
        related: [{ file: other.file, span: other.span, message: `the ${other.what} \`${other.id}\`` }],
      });
    }
  },
});

interface Owner {
  /** The manifest's table. */
  table: 'steps' | 'workflows' | 'classes';
  what: string;
  id: string;
  slug: boolean;
  file: string;
  span: Span;
}

/** Everything that has an id, in the order of files and places. Actions and agents are steps. */
function owners(program: Program): Owner[] {
  const all: Owner[] = [];
  for (const { file, functions, definitions, classes } of program.modules) {
    const own: Owner[] = [];
    for (const { kind, id, nameSpan } of functions) {
      own.push({ table: kind === 'step' ? 'steps' : 'workflows', what: kind, id, slug: false, file, span: nameSpan });
    }
    for (const { kind, slug, slugSpan, nameSpan } of definitions) {
      if (slug === null || kind === 'credential') continue;
      const table = kind === 'workflow' ? 'workflows' : 'steps';
      own.push({ table, what: kind, id: slug, slug: true, file, span: slugSpan ?? nameSpan });
    }
    for (const { id, nameSpan } of classes) {
      own.push({ table: 'classes', what: 'class', id, slug: false, file, span: nameSpan });
    }
    all.push(...own.sort((a, b) => a.span.start - b.span.start));
  }
  return all;
}
