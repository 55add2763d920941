import { defineRule } from './define-rule.ts';

export const suppressionWithoutReason = defineRule({
  name: 'suppression-without-reason',
  by: 'session',
  description: 'A suppression does not say why',
  explanation: {
    mistake: 'A `pawl-ignore` comment has no reason behind `--`. It suppresses all the same.',
    why: 'Whoever reads it next cannot tell whether it still holds.',
    allowed: 'Any text behind `--`: `// pawl-ignore PAWL3002 -- the price list is static`.',
    unseen: 'Whether the reason is a good one.',
  },
  bad: `export async function fulfil(id: string) {
  'use workflow';
  // pawl-ignore PAWL3002
  return fetch(id);
}
`,
  good: `export async function fulfil(id: string) {
  'use workflow';
  // pawl-ignore PAWL3002 -- the sandbox of this deployment provides fetch
  return fetch(id);
}
`,
});
