import { describe, expect, test } from 'vitest';
import { editorProject, pathIn } from './support/project.ts';

const STEP = "export function charge() {\n  'use step';\n}\n";
const FLOW = `${STEP}export async function flow(x: string) {
  'use workflow';
  return fetch(x);
}
`;
const codes = (found: readonly { code: string }[] = []) => found.map(({ code }) => code);

describe('at first sight of a large project', () => {
  test('what one file shows by itself is said, and nothing that others might refute', () => {
    const project = editorProject({ 'src/flow.ts': FLOW });
    const path = pathIn(project, 'src/flow.ts');
    project.update(path, FLOW);
    expect(codes(project.glance(path))).toEqual(['PAWL1002']);
    expect(codes(project.check().diagnostics.get('src/flow.ts'))).toContain('PAWL3002');
  });

  test('in the severities of the configuration, and without what is suppressed', async () => {
    const text =
      "export async function a() {\n  // pawl-ignore PAWL1003 -- a quotation\n  'use steps';\n}\n'use stepp';\n";
    const project = editorProject({
      'src/a.ts': text,
      'pawl.config.json': '{ "rules": { "directive-misspelled": "info" } }',
    });
    await project.load();
    const path = pathIn(project, 'src/a.ts');
    project.update(path, text);
    expect(project.glance(path).map(({ code, severity, span }) => [code, severity, span.line])).toEqual([
      ['PAWL1003', 'info', 5],
    ]);
  });

  test('preparing the first check changes nothing of it', () => {
    const files = {
      'src/flow.ts': FLOW,
      'src/other.ts': "import './flow';\n",
      'src/broken.ts': "'use step'; export {",
    };
    const prepared = editorProject(files);
    expect([...prepared.warmUp()].length).toBeGreaterThanOrEqual(3);
    const plain = editorProject(files);
    expect(prepared.check().diagnostics).toEqual(plain.check().diagnostics);
  });
});

test('a finding about a suppression waits for the types', () => {
  const text =
    "export async function a(x: string) {\n  'use step';\n  // pawl-ignore PAWL2001 -- it is data\n  return x;\n}\n";
  const project = editorProject({ 'src/a.ts': text });
  expect(codes(project.check('facts').diagnostics.get('src/a.ts'))).toEqual([]);
});
