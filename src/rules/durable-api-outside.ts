import { placeName } from './chain.ts';
import { durableOnly, mayBeDurable } from './api.ts';
import { defineRule } from './define-rule.ts';
import { appCode, findOutside } from './outside.ts';

export const durableApiOutside = defineRule({
  name: 'durable-api-outside',
  by: 'program',
  description: 'The durable API is called in code that neither a step nor a workflow reaches',
  explanation: {
    mistake:
      'A route handler, a script or a function that these call, and that no workflow and no step calls, uses `sleep`, `createHook`, `createWebhook`, `getStepMetadata`, `getWorkflowMetadata` or `getWritable`. Often a function was to be a workflow and lacks its directive.',
    why: 'These calls speak with the run around them. Where there is none they throw: nothing would be recorded, and nobody could resume it.',
    allowed:
      'Functions that nothing in the project calls: they may be meant for the workflows of another one. Helpers that steps or workflows call, in whatever module. `start`, `getRun`, `resumeHook` and `resume` of a `defineHook()` in apps. `fetch`, the error classes and `defineHook` everywhere. Metadata within a `try` whose `catch` copes without.',
    unseen:
      'Methods of instances; names of the API that come from a module of your own, in a file that imports nothing of pawl itself; functions that are handed to others while a module is loaded together with steps or workflows; functions that are exported and that a framework calls, other than handlers of routes (`GET`, `POST`).',
  },
  bad: {
    'src/fulfil.ts': `import { sleep } from 'pawl';
import { start } from 'pawl/client';

async function ship(order: string) {
  'use step';
  await fetch('https://parcels.example/' + order);
}

export async function fulfil(order: string) {
  await ship(order);
  await sleep('1 day');
}

export async function POST(request: Request) {
  await start(fulfil, [await request.text()]);
  return new Response(null, { status: 202 });
}
`,
  },
  good: {
    'src/fulfil.ts': `import { sleep } from 'pawl';
import { start } from 'pawl/client';

async function ship(order: string) {
  'use step';
  await fetch('https://parcels.example/' + order);
}

export async function fulfil(order: string) {
  'use workflow';
  await ship(order);
  await sleep('1 day');
}

export async function POST(request: Request) {
  await start(fulfil, [await request.text()]);
  return new Response(null, { status: 202 });
}
`,
  },
  check({ program, report }) {
    const found = findOutside(program, mayBeDurable(program), durableOnly);
    if (found.length === 0) return;
    const app = appCode(program);
    for (const { module, unit, use, end } of found) {
      const isLoad = unit.kind === 'module' || (unit.kind === 'variable' && !use.deferred);
      if (!isLoad && !app.has(unit)) continue;
      const place = placeName({ module, unit });
      const where =
        unit.kind === 'module'
          ? `The top level of \`${place}\` calls \`${end.name}\`, and it runs in no step and no workflow`
          : `\`${place}\` calls \`${end.name}\`, and it is neither a step nor a workflow, nor does one call it`;
      report({
        file: module.file,
        span: use.span,
        message: `${where}: ${end.because}.`,
        remedy: end.remedy,
      });
    }
  },
});
