/** `fetch` of pawl in workflow code: a step like any other. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

const opened: TestRuntime[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((runtime) => runtime.close()));
});

async function program(main: string): Promise<TestRuntime> {
  const runtime = await createTestRuntime({ sources: { 'src/main.ts': main }, config: { compat: ['workflow'] } });
  opened.push(runtime);
  return runtime;
}

/** Answers with what it was asked; the first connections are cut. */
async function server(cuts = 0): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (asked.length <= cuts) {
      request.socket.destroy();
      return;
    }
    let body = '';
    request.on('data', (part: Buffer) => (body += String(part)));
    request.on('end', () => response.writeHead(201, { 'x-kind': 'echo' }).end(`${request.headers['x-from']}: ${body}`));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void http.close());
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, asked };
}

const POST = `{ method: 'POST', headers: { 'x-from': 'workflow' }, body: 'hello' }`;

test.each([
  ['a name', `import { fetch, sleep } from 'pawl';`, 'fetch'],
  ['a name of the Workflow SDK', `import { fetch, sleep } from 'workflow';`, 'fetch'],
  ['another name', `import { fetch as get, sleep } from 'pawl';`, 'get'],
  ['a namespace', `import * as pawl from 'pawl';\nconst { sleep } = pawl;`, 'pawl.fetch'],
])('by %s: the request is made once, and again when it fails', async (_kind, imports, name) => {
  const { url, asked } = await server(1);
  const runtime = await program(`${imports}
export async function main(url: string) {
  'use workflow';
  const response = await ${name}(url + '/a', ${POST});
  await sleep('1h');
  return [response.status, response.headers.get('x-kind'), await response.text()];
}`);
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('main', [url]);
  expect(await runtime.finish(run)).toEqual([201, 'echo', 'workflow: hello']);
  expect(asked).toEqual(['POST /a', 'POST /a']);
  expect(runtime.manifest.steps['pawl#fetch']).toMatchObject({ name: 'fetch' });
  expect(runtime.manifest.workflows['src/main.ts#main']?.steps).toContain('pawl#fetch');
});

test('a package that asks the global one gets it where the workflow says so', async () => {
  const { url } = await server();
  const runtime = await program(`import { fetch } from 'workflow';
const ask = async (url: string) => (await globalThis.fetch(url, ${POST})).text();
export async function main(url: string) {
  'use workflow';
  globalThis.fetch = fetch;
  // pawl-ignore PAWL3002 -- it is the step
  return ask(url);
}`);
  expect(await runtime.finish(await runtime.start('main', [url]))).toBe('workflow: hello');
});

test('programs without it have no such step', async () => {
  const runtime = await program(`async function get(url: string) {
  'use step';
  return (await fetch(url)).status;
}
export async function main(url: string) {
  'use workflow';
  return get(url);
}`);
  expect(Object.keys(runtime.manifest.steps)).toEqual(['src/main.ts#get']);
});
