import type { Use } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import { wantedOf } from './per-list.ts';
import type { ResolvedUse } from './program.ts';
import { chainFinding, chainsFrom, type NamedEnd } from './workflow-chains.ts';

export const dynamicImport = defineRule({
  name: 'dynamic-import',
  by: 'program',
  description: 'Workflow code imports a module whose name is computed',
  explanation: {
    mistake:
      'A workflow calls `import()` or `require()` with anything but a literal text, directly or through helpers: `import(`./locales/${language}.ts`)`.',
    why: 'The code of a run is kept with the run, as one bundle in which every module is. What a computed name will mean is not in it, and would be another module after the next deploy.',
    allowed:
      '`import()` and `require()` of a literal name: the module is put into the bundle. Computed names in steps and in code that only steps reach.',
    unseen: 'Packages, of which `pawl build` tells; functions that arrive as arguments.',
  },
  bad: {
    'src/texts.ts': `export async function textsOf(language: string) {
  const { texts } = await import(\`./locales/\${language}.ts\`);
  return texts as Record<string, string>;
}
`,
    'src/greet.ts': `import { textsOf } from './texts';

export async function greet(name: string, language: string) {
  'use workflow';
  return \`\${(await textsOf(language)).hello}, \${name}\`;
}
`,
  },
  good: {
    'src/texts.ts': `import { texts as de } from './locales/de';
import { texts as en } from './locales/en';

const all: Record<string, Record<string, string>> = { de, en };

export const textsOf = (language: string) => all[language] ?? en;
`,
    'src/locales/de.ts': `export const texts = { hello: 'Guten Tag' };
`,
    'src/locales/en.ts': `export const texts = { hello: 'Good morning' };
`,
    'src/greet.ts': `import { textsOf } from './texts';

export async function greet(name: string, language: string) {
  'use workflow';
  return \`\${textsOf(language).hello}, \${name}\`;
}
`,
  },
  check({ program, report }) {
    const chains = chainsFrom('dynamic-import', program, 'workflow', computedImport, { among: imports });
    for (const chain of chains) report(chainFinding(chain));
  },
});

const imports = wantedOf(({ use }: ResolvedUse) => use.kind === 'module');

function computedImport(use: Use): NamedEnd | null {
  if (use.kind !== 'module' || use.path[0] !== '') return null;
  return {
    name: 'import(…)',
    because: 'the name of the module is computed, so what it will be is not in the bundle that is kept with the run',
    remedy: 'Import the candidates by name and choose among them, or move the import into a step.',
  };
}
