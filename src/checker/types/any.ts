import type { TypeModel, TypeRef } from './model.ts';
import { platformVerdict } from './platform.ts';

/** Where a type is `any`, which lets everything through unseen. */

const MAX_DEPTH = 6;
const MAX_WORK = 500;

/**
 * @returns the path from the root, as in refusals; null where there is none
 */
export function findAny(model: TypeModel, root: TypeRef): string | null {
  const { TypeFlags } = model;
  const seen = new Set<TypeRef>();
  const flag = (name: string): number => TypeFlags[name] as number;
  const search = (type: TypeRef, depth: number): string | null => {
    if ((type.flags & flag('Any')) !== 0) return model.isError(type) ? null : '';
    const compound = flag('Object') | flag('Union') | flag('Intersection');
    if ((type.flags & compound) === 0 || depth > MAX_DEPTH || seen.has(type) || seen.size > MAX_WORK) return null;
    seen.add(type);
    for (const [part, path] of partsOf(type)) {
      const found = part && search(part, depth + 1);
      if (typeof found === 'string') return path + found;
    }
    return null;
  };
  const partsOf = function* (type: TypeRef): Iterable<[TypeRef | undefined, string]> {
    if ((type.flags & (flag('Union') | flag('Intersection'))) !== 0) {
      for (const part of model.parts(type)) yield [part, ''];
      return;
    }
    if (model.isTuple(type)) {
      for (const [index, part] of model.typeArguments(type).entries()) yield [part, `[${index}]`];
      return;
    }
    if (model.isArray(type)) {
      yield [model.typeArguments(type)[0], '[number]'];
      return;
    }
    if (model.calls(type).length > 0) return;
    const verdict = platformVerdict(model, type);
    if (verdict === 'collection') {
      const parts = model.typeArguments(type);
      for (const [index, part] of parts.entries())
        yield [part, index === 0 && parts.length > 1 ? '.keys()' : '.values()'];
    }
    if (verdict !== null) return;
    for (const member of model.properties(type)) {
      const name = String(member.escapedName);
      if (!/^__[@#]/.test(name)) yield [model.typeOf(member), `.${name}`];
    }
    for (const part of model.indexed(type)) yield [part, '[string]'];
  };
  return search(root, 0);
}
