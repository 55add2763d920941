import { apiUses, stepOnly } from './api.ts';
import { defineRule } from './define-rule.ts';
import { chainFinding, chainsFrom } from './workflow-chains.ts';

export const stepApiInWorkflow = defineRule({
  name: 'step-api-in-workflow',
  by: 'program',
  description: 'Workflow code writes to a stream, answers a request or asks for the metadata of a step',
  explanation: {
    mistake:
      'A workflow calls `getStepMetadata`, writes to what `getWritable()` gives (`getWriter`, `close`, `abort`), or answers the request of a webhook with `respondWith`, itself or through helpers.',
    why: 'Writing and answering are I/O: each replay would do it again. Metadata of a step exist while one runs, and in workflow code none does.',
    allowed:
      '`getWritable()` in a workflow, to hand it to steps and agents. `getWorkflowMetadata()`. All of it in steps. Code for both levels that tries `getStepMetadata()` and catches.',
    unseen:
      'Streams and requests that went through a variable of a module, an object or a parameter; functions that arrive as arguments.',
  },
  bad: {
    'src/progress.ts': `import { getWritable } from 'workflow';

export async function tell(text: string) {
  const writer = getWritable<string>().getWriter();
  try {
    await writer.write(text);
  } finally {
    writer.releaseLock();
  }
}
`,
    'src/fulfil.ts': `import { tell } from './progress';

export async function fulfil(order: string) {
  'use workflow';
  await tell('begun ' + order);
}
`,
  },
  good: {
    'src/progress.ts': `import { getWritable } from 'workflow';

export async function tell(text: string) {
  'use step';
  const writer = getWritable<string>().getWriter();
  try {
    await writer.write(text);
  } finally {
    writer.releaseLock();
  }
}
`,
    'src/fulfil.ts': `import { tell } from './progress';

export async function fulfil(order: string) {
  'use workflow';
  await tell('begun ' + order);
}
`,
  },
  check({ program, report }) {
    const chains = chainsFrom('step-api-in-workflow', program, 'workflow', stepOnly, { among: apiUses });
    for (const chain of chains) report(chainFinding(chain));
  },
});
