/** What workflow code brings along and never comes to may need the host: the build says what `pawl check` says, and runs go well. */
import { expect, test } from 'vitest';
import { createTestRuntime } from '../../src/testing/index.ts';

const PROGRAM = `import { readFileSync } from 'node:fs';

class Doc {
  constructor(readonly path: string) {}
  title() { return this.path.toUpperCase(); }
  body() { return readFileSync(this.path, 'utf8'); }
}

const handlers = { shout: (text: string) => text + '!', read: (path: string) => readFileSync(path, 'utf8') };

async function length(path: string) {
  'use step';
  return new Doc(path).body().length + handlers.read(path).length;
}

export async function title(path: string) {
  'use workflow';
  const n = await length(path);
  return handlers.shout(new Doc(path).title()) + (n > 0);
}

// The rules do not follow computed names: the stub tells what is wrong.
export async function computed(name: 'read') {
  'use workflow';
  return handlers[name]('x');
}
`;

test('a class and a table of which only steps call what reads files', async () => {
  const runtime = await createTestRuntime({ sources: { 'src/main.ts': PROGRAM } });
  expect(runtime.diagnostics).toEqual([]);
  const file = new URL(import.meta.url).pathname;
  const run = await runtime.start('title', [file]);
  expect(await run.returnValue).toBe(`${file.toUpperCase()}!true`);
  const lost = await runtime.start('computed', ['read']);
  await expect(lost.returnValue).rejects.toThrow(
    /`fs` is not available in a workflow\. Move the code that uses it into a step\./,
  );
  await runtime.close();
});
