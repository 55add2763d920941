import { defineRule } from './define-rule.ts';
import { reportLacks } from './workflow-chains.ts';

export const environmentRead = defineRule({
  name: 'environment-read',
  by: 'program',
  description: 'Workflow code reads the environment: `process.env`, `process.platform`, `import.meta.env`',
  explanation: {
    mistake:
      'A workflow reads `process.env`, `process.platform`, `process.cwd()` and other members of `process`, `import.meta.env`, `import.meta.url`, `navigator` or `__dirname`, itself, through helpers, or through a variable of a module that was made from it.',
    why: 'A run outlives deploys and moves between machines, and a replay has to come to the same decisions; so the sandbox has no environment. `process` is undefined there, and reading a member of it throws.',
    allowed:
      'Reading the environment in steps and in apps; `process.env.NODE_ENV`, which the build replaces; code of a module that asks `typeof process` and so copes without; variables that only steps use.',
    unseen: 'Packages; functions that arrive as arguments; computed members such as `globalThis[name]`.',
  },
  bad: {
    'src/config.ts': `export const config = {
  region: process.env.REGION ?? 'eu',
};
`,
    'src/fulfil.ts': `import { config } from './config';

export async function fulfil(order: { express: boolean }) {
  'use workflow';
  return config.region === 'eu' && order.express;
}
`,
  },
  good: {
    'src/config.ts': `export const config = {
  region: process.env.REGION ?? 'eu',
};
`,
    'src/fulfil.ts': `import { config } from './config';

async function readRegion() {
  'use step';
  return config.region;
}

export async function fulfil(order: { express: boolean }) {
  'use workflow';
  return (await readRegion()) === 'eu' && order.express;
}
`,
  },
  check: (context) => reportLacks('environment-read', 'environment', context),
});
