import type { ImportFact, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { isSdk } from '../sdks.ts';
import { placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { reachedCode } from './reached.ts';

/**
 * Workflows of installed packages are compiled along with the workflow that calls them. Anywhere else the package is taken as it
 * is: its directives are texts that do nothing. Steps of packages that a step calls are none the worse for that: they run inline.
 */
export const externalDirective = defineRule({
  name: 'external-directive',
  by: 'program',
  description: 'A workflow of an installed package is used where the package is not compiled',
  explanation: {
    mistake:
      "An app or a step imports a workflow of an installed package, to start it for example: `start(onboard, …)` of `'@acme/flows'`.",
    why: 'Installed packages stay outside of the bundles of apps and steps, so their directives are never looked at. The function has no id there: `start` does not know it, and a call runs without a record.',
    allowed:
      'Calling workflows and steps of a package from a workflow: they are compiled with it. Calling steps of a package in a step, where they run inline. Packages of the workspace, which are code of the program. The SDKs.',
    unseen:
      'Packages that hide their directives in modules beyond 1 MB, or do not depend on an SDK and have none in the module that is imported.',
  },
  bad: {
    'node_modules/@acme/flows/package.json': '{ "name": "@acme/flows", "version": "1.0.0", "main": "index.js" }\n',
    'node_modules/@acme/flows/index.js': `export async function onboard(user) {
  'use workflow';
  return user;
}
`,
    'src/app.ts': `import { onboard } from '@acme/flows';
import { getWorkflowMetadata } from 'pawl';
import { start } from 'pawl/client';

export async function POST(request: Request) {
  const run = await start(onboard, [await request.text()]);
  return Response.json({ id: run.id });
}

export async function own() {
  'use workflow';
  return getWorkflowMetadata().workflowRunId;
}
`,
  },
  good: {
    'node_modules/@acme/flows/package.json': '{ "name": "@acme/flows", "version": "1.0.0", "main": "index.js" }\n',
    'node_modules/@acme/flows/index.js': `export async function onboard(user) {
  'use workflow';
  return user;
}
`,
    'src/flows.ts': `import { onboard } from '@acme/flows';

export async function onboardUser(user: string) {
  'use workflow';
  return onboard(user);
}
`,
    'src/app.ts': `import { start } from 'pawl/client';
import { onboardUser } from './flows';

export async function POST(request: Request) {
  const run = await start(onboardUser, [await request.text()]);
  return Response.json({ id: run.id });
}
`,
  },
  check({ program, report }) {
    const { units } = reachedCode(program, 'workflow');
    for (const module of program.modules) {
      const told = new Set<string>();
      for (const fact of module.imports) {
        if (fact.typeOnly || !isPackage(fact.source)) continue;
        for (const { unit, use } of usesOf(module, fact)) {
          const path = exportPath(fact, use);
          const name = path.join('.');
          if (units.has(unit) || told.has(name) || !program.isPackageWorkflow(module, fact.source, path)) continue;
          told.add(name);
          report({
            file: module.file,
            span: use.span,
            message: `\`${placeName({ module, unit })}\` uses the workflow \`${use.path.join('.')}\` of '${fact.source}', which is installed and not compiled here: it has no id, so nothing can start it.`,
            remedy: 'Call it from a workflow of your own, with which it is compiled, and start that one.',
          });
        }
      }
    }
  },
});

function* usesOf({ units }: ModuleFacts, { local }: ImportFact): Iterable<{ unit: Unit; use: Use }> {
  for (const unit of units)
    for (const use of unit.uses)
      if (use.kind === 'import' && use.path[0] === local && use.access !== 'write') yield { unit, use };
}

/** The export that a use takes; `run` of a definition is a member of it. */
function exportPath({ imported }: ImportFact, { path }: Use): string[] {
  const [, ...rest] = path;
  const members = imported === '*' ? rest : [imported, ...rest];
  return members.slice(0, 1);
}

/** Names that a package can have; the SDKs are compiled into pawl. */
function isPackage(specifier: string): boolean {
  return (
    /^(?:@[a-z\d~-][\w.~-]*\/)?[a-z\d~-][\w.~-]*(?:\/|$)/i.test(specifier) &&
    !/^(?:node|~|bun):?\//.test(specifier) &&
    !isSdk(specifier)
  );
}
