import type * as t from '@babel/types';
import type { ModuleFacts, Unit, Use } from '../facts.ts';
import { keyName, type Node } from './ast.ts';
import type { ClassSite, MemberUse, Model } from './model.ts';
import { placeOf } from './names.ts';

/** What `this` and `super` mean in classes and objects, and which members of them are more than values: setters, objects of functions. */

type ClassPath = NonNullable<Unit['instanceOf']>;

/** What an expression of names and members leads to, where it starts at the module's top level. */
interface Naming {
  named(expression: Node, access: Use['access']): ClassPath | null;
}

export class ClassPaths {
  readonly #meaning: Naming;
  readonly #paths = new Map<ClassSite, string | null>();

  constructor(meaning: Naming) {
    this.#meaning = meaning;
  }

  pathOf(site: ClassSite): string | null {
    let path = this.#paths.get(site);
    if (path === undefined) {
      path = placeOf(site.ancestors, site.node).path;
      this.#paths.set(site, path);
    }
    return path;
  }

  baseOf({ node }: ClassSite): ClassPath | null {
    return node.superClass ? this.#meaning.named(node.superClass, 'read') : null;
  }

  member({ site, object, name, isStatic, ofBase }: MemberUse): ClassPath | null {
    const piece = isStatic ? name : `#${name}`;
    if (object) {
      const path = placeOf(object.ancestors, object.node).path;
      const end = path?.lastIndexOf('.') ?? -1;
      return path === null || end < 0 ? null : { kind: 'local', path: [...path.slice(0, end).split('.'), piece] };
    }
    if (!site) return null;
    if (ofBase) {
      const base = this.baseOf(site);
      return base && { kind: base.kind, path: [...base.path, name === 'constructor' ? '#constructor' : piece] };
    }
    const path = this.pathOf(site);
    return path === null ? null : { kind: 'local', path: [...path.split('.'), piece] };
  }

  /** The class that `new` makes an instance of. */
  made(callee: Node): ClassPath | null {
    return this.#meaning.named(callee, 'new');
  }
}

/** Members of classes and objects of this module. */
export class Members {
  readonly #model: Model;
  readonly #classes: ClassPaths;
  readonly #exported: ReadonlySet<string | null>;
  #bases: Map<string, string> | undefined;
  #instances: Map<string, string> | undefined;
  #units: Set<string> | undefined;
  #written: Set<string> | undefined;
  #overriders: Map<string, ClassSite[]> | undefined;

  constructor(model: Model, classes: ClassPaths, exports: ModuleFacts['exports']) {
    this.#model = model;
    this.#classes = classes;
    this.#exported = new Set(exports.filter(({ source }) => source === null).map(({ name, local }) => local ?? name));
  }

  /** The setter that an assignment to a member calls. */
  setter({ kind, path }: Pick<Use, 'kind' | 'path'>): ClassPath | null {
    const { setters } = this.#model;
    if (setters.size === 0 || kind !== 'local' || path.length < 2) return null;
    const own = this.#ownerOf(pathOf(path), (candidate) => setters.has(candidate));
    if (own === null) return null;
    const last = path.at(-1) as string;
    return { kind, path: [...path.slice(0, -1), setters.get(own) === own ? last : `${last}=`] };
  }

  /** The function that an object holds which a field holds, `this.io.get`, where nothing else is ever put into the field. */
  heldBy(member: MemberUse, { kind, path }: ClassPath): ClassPath | null {
    const { held, name } = member;
    if (!held || kind !== 'local' || this.#isOpen(member, path[0] as string)) return null;
    this.#written ??= this.#writtenNames();
    if (this.#written.has(name)) return null;
    this.#units ??= new Set(this.#model.units.map((unit) => unit.path));
    const units = this.#units;
    const whole = [...path, ...held.path];
    return this.#ownerOf(pathOf(whole), (candidate) => units.has(candidate)) === null ? null : { kind, path: whole };
  }

  /** Whether a class of this module that extends the one around has a member of its own of that name: `this.load()` may mean either. */
  isOverridden({ site, name, isStatic, ofBase }: MemberUse): boolean {
    if (!site || ofBase || name === 'constructor' || name.startsWith('#')) return false;
    this.#overriders ??= this.#membersOfSubclasses();
    const overriders = this.#overriders.get(isStatic ? name : `#${name}`);
    const path = overriders ? this.#classes.pathOf(site) : null;
    return path !== null && overriders?.some((overrider) => this.#descends(overrider, path)) === true;
  }

  /** Classes that extend another one, by what they declare themselves. */
  #membersOfSubclasses(): Map<string, ClassSite[]> {
    const found = new Map<string, ClassSite[]>();
    for (const site of this.#model.classes) {
      if (!site.node.superClass) continue;
      for (const member of site.node.body.body) {
        if (!('key' in member) || !member.key) continue;
        const { key, static: isStatic, computed } = member as t.ClassMethod;
        const name = keyName(key, computed);
        if (name === null || name === 'constructor') continue;
        const known = found.get(isStatic ? name : `#${name}`);
        if (known) known.push(site);
        else found.set(isStatic ? name : `#${name}`, [site]);
      }
    }
    return found;
  }

  #descends(site: ClassSite, from: string): boolean {
    const seen = new Set<string>();
    const base = this.#classes.baseOf(site);
    let path = base?.kind === 'local' ? pathOf(base.path) : undefined;
    for (; path !== undefined && !seen.has(path); path = this.#basesOf().get(path)) {
      if (path === from) return true;
      seen.add(path);
    }
    return false;
  }

  /** Whether code of other modules can put something else into the field of a class, or declare it anew in a class that extends this one. */
  #isOpen({ site, name, isStatic }: MemberUse, of: string): boolean {
    if (!site || !this.#exported.has(of) || name.startsWith('#')) return false;
    const declared = site.node.body.body.find((each): each is t.ClassProperty => {
      return each.type === 'ClassProperty' && each.static === isStatic && keyName(each.key, each.computed) === name;
    });
    return declared?.accessibility !== 'private';
  }

  /** Of all members to which anything is assigned, in whatever they are. */
  #writtenNames(): Set<string> {
    const names = new Set(this.#model.members.flatMap((member) => (isWritten(member) ? member.name : [])));
    for (const { access, path } of this.#model.refs)
      if (access === 'write') for (const piece of path.slice(1)) names.add(piece.replace(/^#/, ''));
    return names;
  }

  /** Where a member is declared: with the path itself, with the class of a variable, or with a class that is extended. */
  #ownerOf(path: string, has: (path: string) => boolean): string | null {
    if (has(path)) return path;
    const end = path.search(/[.#]/);
    if (end < 0) return null;
    let owner = this.#instancesOf().get(path.slice(0, end));
    let member = path.slice(end);
    if (owner !== undefined) member = member.replace(/^\./, '#');
    else owner = this.#basesOf().get(path.slice(0, end));
    const seen = new Set<string>();
    for (; owner !== undefined && !seen.has(owner); owner = this.#basesOf().get(owner)) {
      if (has(owner + member)) return owner + member;
      seen.add(owner);
    }
    return null;
  }

  #instancesOf(): Map<string, string> {
    if (!this.#instances) {
      this.#instances = new Map();
      for (const [index, { callee }] of this.#model.instances) {
        const made = this.#classes.made(callee as Node);
        if (made?.kind === 'local') this.#instances.set((this.#model.units[index] as Unit).path, pathOf(made.path));
      }
    }
    return this.#instances;
  }

  #basesOf(): Map<string, string> {
    if (!this.#bases) {
      this.#bases = new Map();
      for (const site of this.#model.classes) {
        const path = this.#classes.pathOf(site);
        const base = path === null ? null : this.#classes.baseOf(site);
        if (path !== null && base?.kind === 'local') this.#bases.set(path, pathOf(base.path));
      }
    }
    return this.#bases;
  }
}

/** `['Order', '#total']` is the path `Order#total`. */
function pathOf(pieces: readonly string[]): string {
  return pieces.join('.').replaceAll('.#', '#');
}

export function isWritten({ node, parent }: MemberUse): boolean {
  return accessOf(node, parent) === 'write';
}

export function accessOf(node: Node, parent: Node): Use['access'] {
  if (node.type === 'CallExpression') return 'call';
  if ((parent.type === 'CallExpression' || parent.type === 'OptionalCallExpression') && parent.callee === node)
    return 'call';
  if (parent.type === 'AssignmentExpression' && parent.left === node) return 'write';
  if (parent.type === 'UpdateExpression') return 'write';
  return 'read';
}
