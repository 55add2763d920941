/** Writes what is generated from the sources: `docs/rules.md`. `npm run docs`; a test sees that it is current. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RULES, rulesMarkdown } from '../src/rules/index.ts';

writeFileSync(fileURLToPath(new URL('../docs/rules.md', import.meta.url)), rulesMarkdown(RULES));
