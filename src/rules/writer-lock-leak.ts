import { givesPart } from '../sdks.ts';
import { defineRule } from './define-rule.ts';
import { referenceOf } from './durable.ts';

/** Writers of `getWritable()` that stay in the function which takes them; one that goes elsewhere may be released there. */
export const writerLockLeak = defineRule({
  name: 'writer-lock-leak',
  by: 'program',
  description: 'A writer of a stream that keeps its lock when something goes wrong',
  explanation: {
    mistake: '`getWritable().getWriter()` without `releaseLock()` in a `finally`.',
    why: 'A writer holds the lock of its stream. An error between taking and releasing it leaves the stream locked for whoever else has it, and with the Workflow SDK it never ends for its readers.',
    allowed:
      '`releaseLock()`, `close()` or `abort()` in a `finally`; a writer that is returned, stored or given to a function.',
    unseen: 'Writers of other streams; what a function does with a writer that it is given.',
  },
  bad: `import { getWritable } from 'workflow';

export async function tell(text: string) {
  'use step';
  const writer = getWritable<string>().getWriter();
  await writer.write(text);
  writer.releaseLock();
}
`,
  good: `import { getWritable } from 'workflow';

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
  fixable: true,
  check({ program, report }) {
    for (const module of program.modules) {
      for (const { unit, site, span, name, released, fix } of module.calls?.writers ?? []) {
        // A workflow may not write at all: step-api-in-workflow says so.
        if (/^workflow/.test(module.units[unit]?.kind ?? '')) continue;
        const call = module.calls?.sites[site];
        const reference = call && referenceOf(program, module, call);
        if (reference?.kind !== 'package' || reference.path.join() !== 'getWritable') continue;
        if (!givesPart(reference.specifier, 'durable')) continue;
        report({
          file: module.file,
          span,
          message: released
            ? `\`${name}\` gives its lock back only when nothing goes wrong: after an error the stream stays locked.`
            : `\`${name}\` never gives its lock back: nobody else can write to the stream.`,
          remedy: `Put what follows into a \`try\`, and \`${name}.releaseLock()\` into its \`finally\`.`,
          fix,
        });
      }
    }
  },
});
