import { defineRule } from './define-rule.ts';
import { reportLacks } from './workflow-chains.ts';

export const hostOrder = defineRule({
  name: 'host-order',
  by: 'program',
  description:
    'Workflow code depends on what only the host decides: garbage collection, other threads, code made from text',
  explanation: {
    mistake:
      'A workflow constructs a `WeakRef`, a `FinalizationRegistry` or a `SharedArrayBuffer`, calls `Atomics`, `eval`, `Function` or `WebAssembly`, directly or through helpers.',
    why: 'When garbage is collected, what another thread writes and what a text holds are nowhere in the event log, so a replay cannot repeat them. The sandbox has none of these.',
    allowed:
      '`WeakMap` and `WeakSet`, whose content nobody can list; `instanceof WeakRef` and `instanceof Function`; code of a module that asks `typeof WeakRef` and so copes without. Everything in steps.',
    unseen: 'Packages; `constructor.constructor` of a function; functions that arrive as arguments.',
  },
  bad: {
    'src/cache.ts': `const known = new Map<string, WeakRef<object>>();

export function remember(key: string, value: object) {
  known.set(key, new WeakRef(value));
  return known.get(key)?.deref();
}
`,
    'src/fulfil.ts': `import { remember } from './cache';

export async function fulfil(order: { id: string }) {
  'use workflow';
  return remember(order.id, order) === undefined;
}
`,
  },
  good: {
    'src/cache.ts': `const known = new WeakMap<object, string>();

export function remember(key: string, value: object) {
  known.set(value, key);
  return known.get(value);
}
`,
    'src/fulfil.ts': `import { remember } from './cache';

export async function fulfil(order: { id: string }) {
  'use workflow';
  return remember(order.id, order) === undefined;
}
`,
  },
  check: (context) => reportLacks('host-order', 'host', context),
});
