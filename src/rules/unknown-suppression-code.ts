import { defineRule } from './define-rule.ts';

export const unknownSuppressionCode = defineRule({
  name: 'unknown-suppression-code',
  by: 'session',
  description: 'A suppression names a code that does not exist, or none',
  explanation: {
    mistake:
      'A `pawl-ignore` comment names no code, or a code or rule that does not exist; or it has a name that no comment has, `pawl-ignore-next-line`.',
    why: 'It suppresses nothing, although it looks as if it did.',
    allowed: 'Codes (`PAWL3002`) and rule names (`io-in-workflow`), several of them separated by commas or spaces.',
    unseen: 'Comments that do not start with `pawl-ignore`.',
  },
  bad: `export async function fulfil(id: string) {
  'use workflow';
  // pawl-ignore PAWL3020 -- a typo
  return id;
}
`,
  good: `export async function fulfil(id: string) {
  'use workflow';
  return id;
}
`,
});
