import type { CaptureFact } from '../compiler/facts.ts';
import { isInstalled } from './boundary-calls.ts';
import { refusalText } from './crossing.ts';
import { defineRule } from './define-rule.ts';

/** The compiler reports what syntax shows; types show the rest, such as clients that a function returned. */
export const closureUnserializable = defineRule({
  name: 'closure-unserializable',
  by: 'compiler and program',
  types: 'used',
  description: 'A nested step captures a function, a client or a class instance',
  explanation: {
    mistake:
      'A step inside of another function uses a variable of that function which holds a function, a class, a client or another value that cannot be written down.',
    why: 'Captured variables travel to the step as part of its input, like arguments. What cannot be serialized does not arrive.',
    allowed:
      'Capturing data: strings, numbers, plain objects, arrays, `Map`, `Set`, `Date`, errors, instances of classes with the serialization symbols, and other steps. Module-level functions, classes and clients are no captures: the step has them from its own module.',
    unseen:
      'In a project without TypeScript: instances of imported classes, what functions return, and other values whose kind only a type tells. With types: what is `any`, and unions of which one part can cross.',
  },
  bad: `export async function fulfil(id: string) {
  'use workflow';
  const label = (text: string) => text.toUpperCase();
  async function save() {
    'use step';
    return label(id);
  }
  return save();
}
`,
  good: `const label = (text: string) => text.toUpperCase();

export async function fulfil(id: string) {
  'use workflow';
  async function save() {
    'use step';
    return label(id);
  }
  return save();
}
`,
  check({ program, types, report }) {
    if (!types) return;
    for (const { file, functions } of program.modules)
      for (const { name: step, captures } of functions)
        for (const { name, span, declared, declarationSpan } of captures) {
          if (JUDGED.has(declared) || isInstalled(file)) continue;
          const value = types.variable(file, span);
          const refusal = value?.refusal;
          if (!refusal || (refusal.mayBeStep && refusal.path === value.name)) continue;
          report({
            file,
            span,
            message: `The step '${step}' takes '${name}' from the code around it, and ${refusalText(value, refusal)}, which cannot be serialized.`,
            remedy:
              refusal.kind === 'promise'
                ? 'Await it before, and take along what it gives.'
                : 'Make it within the step, move it to the top level of the module, or take along only the data that the step needs.',
            related: [
              { file, span: declarationSpan, message: `'${name}' is declared here` },
              ...refusal.related.filter(({ span: { start } }) => start !== declarationSpan.start),
            ],
          });
        }
  },
});

/** What the compiler has judged by its syntax, and what rule serialization-incomplete judges. */
const JUDGED: ReadonlySet<CaptureFact['declared']> = new Set(['function', 'class', 'step', 'this']);
