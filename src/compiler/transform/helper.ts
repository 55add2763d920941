import MagicString from 'magic-string';
import { parseModule } from '../parse/parse.ts';
import { pureCalls } from './prune.ts';
import type { Output } from './transform.ts';

export function markModulePure(source: string, file: string): Output {
  const { program, problems } = parseModule(source, file);
  if (!program || problems.length > 0) return { code: source, map: null };
  const text = new MagicString(source);
  for (const statement of program.body) {
    const node =
      statement.type === 'ExportNamedDeclaration' && statement.declaration ? statement.declaration : statement;
    if (node.type !== 'VariableDeclaration' || node.declare) continue;
    for (const { init } of node.declarations)
      if (init) for (const at of pureCalls(init)) text.appendLeft(at, '/*#__PURE__*/ ');
  }
  if (!text.hasChanged()) return { code: source, map: null };
  return { code: text.toString(), map: text.generateMap({ source: file, includeContent: true, hires: 'boundary' }) };
}
