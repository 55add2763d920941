import MagicString from 'magic-string';
import type { Plugin } from 'rolldown';
import { parseSync } from 'rolldown/utils';
import { eachNode } from './chunk-syntax.ts';

/**
 * Writes `accessor x = 1` out as what it means, a private field with a getter and a setter: no version of Node knows the word,
 * and the bundler leaves it. A decorated one is left, because its decorator is not known either; so is one whose name is the
 * result of a call, which may run once only. `findChunkSyntax` sees them.
 */
export function lowerAccessors(): Plugin {
  return {
    name: 'pawl:accessors',
    transform: {
      filter: { id: { include: /\.[cm]?[jt]sx?$/, exclude: /^\0/ }, code: /\baccessor\s+[\w$#[\\'"]/ },
      handler(code, id) {
        const text = withoutAccessors(code, id);
        return text ? { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) } : null;
      },
    },
  };
}

/** Null where there is nothing to write out, or nothing that parses. */
function withoutAccessors(code: string, filename: string): MagicString | null {
  const { program, errors } = parseSync(filename, code);
  if (errors.length > 0) return null;
  const text = new MagicString(code);
  const storage = storageName(code);
  let count = 0;
  eachNode(program, (node) => {
    if (node.type !== 'ClassDeclaration' && node.type !== 'ClassExpression') return;
    const owner = node as unknown as ClassNode;
    for (const member of owner.body.body) {
      if (member.type !== 'AccessorProperty' || member.decorators?.length || !isPlainKey(member)) continue;
      const field = `${storage}${++count}`;
      // A subclass does not have the private field of its base class itself.
      const self = member.static && owner.id && !owner.decorators?.length ? owner.id.name : 'this';
      const key = code.slice(...keyRange(member, code));
      const modifier = member.static ? 'static ' : '';
      text.overwrite(member.start, keyRange(member, code)[1], `${modifier}${field}`);
      text.appendLeft(
        member.end,
        `${code[member.end - 1] === ';' ? '' : ';'} ${modifier}get ${key}() { return ${self}.${field}; }` +
          ` ${modifier}set ${key}(value) { ${self}.${field} = value; }`,
      );
    }
  });
  return count > 0 ? text : null;
}

function storageName(code: string): string {
  let name = '#accessor';
  while (code.includes(name)) name += '_';
  return name;
}

/** The key with its brackets, if computed. */
function keyRange({ key, computed }: Member, code: string): [number, number] {
  if (!computed) return [key.start, key.end];
  return [code.lastIndexOf('[', key.start), code.indexOf(']', key.end) + 1];
}

/** Whether a key may be evaluated twice: a name, a literal, a name in brackets, `Symbol.iterator`. */
function isPlainKey({ key, computed }: Member): boolean {
  if (!computed) return true;
  let node = key;
  while (node.type === 'MemberExpression' && !node.computed && node.object) node = node.object;
  return node.type === 'Identifier' || node.type === 'Literal';
}

interface Key {
  type: string;
  start: number;
  end: number;
  computed?: boolean;
  object?: Key;
}

interface Member {
  type: string;
  start: number;
  end: number;
  key: Key;
  computed: boolean;
  static: boolean;
  decorators?: unknown[];
}

interface ClassNode {
  id: { name: string } | null;
  decorators?: unknown[];
  body: { body: Member[] };
}
