/** Writes what is made from the sources into `docs/`: `npm run docs`; a test sees that it is current. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generatedDocs } from './generated-docs.ts';

const root = fileURLToPath(new URL('../docs/', import.meta.url));
mkdirSync(`${root}rules`, { recursive: true });
const docs = generatedDocs();
for (const file of readdirSync(`${root}rules`)) if (!docs.has(`rules/${file}`)) rmSync(`${root}rules/${file}`);
for (const [file, text] of docs) writeFileSync(root + file, text);
