import { defineRule } from './define-rule.ts';

export const loadEffectLost = defineRule({
  name: 'load-effect-lost',
  by: 'bundler',
  description: 'What a module changes when it is loaded is missing in workflows, which read it',
  explanation: {
    mistake:
      'A module changes a variable of another module when it is loaded (`registry.add(…)`, `config.url = …`), a workflow reads that variable, and the change needs what workflows do not have: `process`, a module of Node, a package that takes one.',
    why: 'Workflows run in a sandbox, from a bundle of their own. A change that the bundle can hold is in it; this one would stop every workflow while it loads, so it is left out, and workflows see the variable without it. Steps see it.',
    allowed:
      'Changes that need nothing of the host, also in modules that are imported for nothing else (`import "./register"`). Changes of what only steps read.',
    unseen: 'Changes through functions of packages, of globals and of built-in prototypes.',
  },
  bad: {
    'src/rates.ts': `export const rates: Record<string, number> = { base: 1 };
`,
    'src/setup.ts': `import { rates } from './rates.ts';

rates.eu = Number(process.env.EU_RATE);
`,
    'src/main.ts': `import './setup.ts';
import { rates } from './rates.ts';

export async function price(net: number) {
  'use workflow';
  return net * (rates.eu ?? 1);
}
`,
  },
  good: {
    'src/rates.ts': `export const rates: Record<string, number> = { base: 1 };
`,
    'src/setup.ts': `import { rates } from './rates.ts';

rates.eu = 1.19;
`,
    'src/main.ts': `import './setup.ts';
import { rates } from './rates.ts';

export async function price(net: number) {
  'use workflow';
  return net * (rates.eu ?? 1);
}
`,
  },
});
