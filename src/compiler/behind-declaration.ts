import type { Node } from './analyze/ast.ts';
import { parseModule } from './parse/parse.ts';

/**
 * Where something can be said of a function behind the statement of the top level that declares it: behind all that the statement
 * declares, its semicolon and a comment on its last line.
 *
 * @param source - text of the module
 * @param file - its path; only the ending matters
 * @param name - the name of the function: `async function charge() {…}`, `const charge = async () => {…}`
 * @param start - offset at which the function starts
 * @returns null where no statement declares the function by that name
 */
export function behindDeclaration(source: string, file: string, name: string, start: number): number | null {
  for (const statement of parseModule(source, file).program?.body ?? []) {
    if ((statement.start as number) > start || (statement.end as number) <= start) continue;
    if (!declares(statement, name, start)) return null;
    const end = statement.end as number;
    return end + (/^[ \t]*\/\/[^\r\n]*/.exec(source.slice(end))?.[0].length ?? 0);
  }
  return null;
}

function declares(statement: Node, name: string, start: number): boolean {
  switch (statement.type) {
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration':
      return statement.declaration ? declares(statement.declaration, name, start) : false;
    case 'FunctionDeclaration':
      return statement.id?.name === name && statement.start === start;
    case 'VariableDeclaration':
      return statement.declarations.some(
        ({ id, init }) => id.type === 'Identifier' && id.name === name && init?.start === start,
      );
    default:
      return false;
  }
}
