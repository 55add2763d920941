import { definitionName, isInstalled } from './boundary-calls.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import type { ValueType } from './types.ts';

const CONFIG = `{ "rules": { "any-at-boundary": "warn" } }
`;

/** Reports `any` where a value becomes data: the other rules see nothing there. Off until the configuration asks for it. */
export const anyAtBoundary = defineRule({
  name: 'any-at-boundary',
  by: 'program',
  types: 'needed',
  description: 'An `any` in the input or the output of a step or an action',
  explanation: {
    mistake:
      'A parameter or the result of a step, or the input or output of an action, is `any` or has `any` in it. The rule is off until `rules` gives it a severity.',
    why: 'What crosses there is not checked: neither by TypeScript, nor by the rules that ask it for types. A function or a client that gets in this way fails while the workflow runs.',
    allowed: '`unknown`, which has to be checked before it is used. `any` within steps and helpers. JavaScript files.',
    unseen: 'Everything in a project without TypeScript. `any` that is deeper than six levels.',
  },
  bad: {
    'pawl.config.json': CONFIG,
    'src/main.ts': `export async function charge(order: any) {
  'use step';
  return Number(order.total);
}
`,
  },
  good: {
    'pawl.config.json': CONFIG,
    'src/main.ts': `export async function charge(order: { total: number }) {
  'use step';
  return order.total;
}
`,
  },
  check({ program, types, report }) {
    if (!types) return;
    for (const { file, functions, definitions } of program.modules) {
      if (/\.[cm]?jsx?$/.test(file) || isInstalled(file)) continue;
      for (const { kind, name, text, nameSpan } of functions) {
        const signature = kind === 'step' ? types.signature(file, text) : null;
        if (!signature) continue;
        for (const parameter of signature.parameters)
          reportAny(report, file, `The parameter \`${parameter.name}\` of step \`${name}\``, parameter, nameSpan);
        reportAny(report, file, `The result of step \`${name}\``, signature.result, nameSpan);
      }
      for (const definition of definitions) {
        const found = definition.kind === 'action' ? types.definition(file, definition.span) : null;
        const owner = `action \`${definitionName(definition)}\``;
        if (found?.input) reportAny(report, file, `The input of ${owner}`, found.input, definition.nameSpan);
        if (found?.output) reportAny(report, file, `The output of ${owner}`, found.output, definition.nameSpan);
      }
    }
  },
});

function reportAny(
  report: RuleContext['report'],
  file: string,
  what: string,
  { any, name, span }: ValueType,
  otherwise: NonNullable<ValueType['span']>,
): void {
  if (any === null) return;
  const subject = any === name ? '' : `: \`${any}\``;
  report({
    file,
    span: span ?? otherwise,
    message: `${what} ${subject === '' ? 'is' : 'has'} \`any\`${subject}, so nobody checks that it can cross.`,
    remedy: 'Write the type out, or `unknown` and check it.',
  });
}
