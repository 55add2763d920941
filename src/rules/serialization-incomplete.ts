import type { ClassShape, ModuleFacts, Use } from '../compiler/facts.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import type { Program } from './program.ts';
import { reachedCode } from './reached.ts';

/**
 * Judges classes by their shapes, over all modules. It speaks only of classes all of whose bases are known and none of which
 * could get its methods from code that is not to be seen; a base class whose subclasses have the methods is fine.
 */
export const serializationIncomplete = defineRule({
  name: 'serialization-incomplete',
  by: 'program',
  description:
    'A class whose instances cross to a step lacks a serialization method, or has it where it does not count',
  explanation: {
    mistake:
      'A step uses the `this` of an instance whose class has no serialization methods; a class has only one of the two, has it on its instances, or gets it from outside; a subclass that workflow code makes relies on the methods of its base class.',
    why: 'An instance goes to a step as the data that the static method `[serialize]` makes of it, and is made again by the static method `[deserialize]`. The build notes a class by these methods, in its own body. Without them the call fails when the workflow runs.',
    allowed:
      'Step methods that never mention `this`. Static step methods. An abstract class, or one whose subclasses have the methods. A subclass with step methods of its own whose base class makes instances with `new this(…)`.',
    unseen:
      'Instances that are passed as arguments or returned. Classes with decorators, computed static members, unknown base classes or mixins, and classes that are handed to other code at load.',
  },
  bad: `export class Order {
  constructor(readonly total: number) {}

  async charge() {
    'use step';
    return this.total;
  }
}

export async function fulfil(total: number) {
  'use workflow';
  return new Order(total).charge();
}
`,
  good: `import { deserialize, serialize } from 'pawl';

export class Order {
  constructor(readonly total: number) {}

  static [serialize](order: Order) {
    return order.total;
  }
  static [deserialize](total: number) {
    return new Order(total);
  }

  async charge() {
    'use step';
    return this.total;
  }
}

export async function fulfil(total: number) {
  'use workflow';
  return new Order(total).charge();
}
`,
  check({ program, report }) {
    const classes = new Classes(program);
    for (const each of classes.all) {
      if (each.shape.misplaced.length > 0) reportMisplaced(report, each);
      else reportIncomplete(report, each, classes);
    }
    reportHeirs(report, program, classes);
  },
});

interface Class {
  module: ModuleFacts;
  shape: ClassShape;
  /** From the class itself to the root; null where a base is not known. */
  line: readonly ClassShape[] | null;
}

class Classes {
  readonly all: readonly Class[];
  readonly #program: Program;
  readonly #byShape = new Map<ClassShape, Class>();

  constructor(program: Program) {
    this.#program = program;
    for (const module of program.modules)
      for (const shape of module.shapes ?? [])
        this.#byShape.set(shape, { module, shape, line: this.#lineOf(module, shape) });
    this.all = [...this.#byShape.values()];
  }

  #lineOf(module: ModuleFacts, shape: ClassShape): ClassShape[] | null {
    const line = [shape];
    for (let at = { module, shape }; at.shape.base !== null; ) {
      const { base } = at.shape;
      const next = base === 'unknown' ? null : this.find(at.module, base, at.shape);
      if (!next || line.includes(next.shape)) return null;
      line.push(next.shape);
      at = next;
    }
    return line;
  }

  /** The class that a name in a module means. */
  find(
    module: ModuleFacts,
    { kind, path }: Pick<Use, 'kind' | 'path'>,
    { nameSpan }: Pick<ClassShape, 'nameSpan'>,
  ): { module: ModuleFacts; shape: ClassShape } | null {
    const found = this.#program.resolve(module, { kind, path, access: 'read', span: nameSpan });
    if (found.kind !== 'binding') return null;
    const name = found.path.join('.');
    const shape = found.module.shapes?.find((candidate) => candidate.path === name);
    return shape ? { module: found.module, shape } : null;
  }

  of(shape: ClassShape): Class | null {
    return this.#byShape.get(shape) ?? null;
  }

  /** The class and all that extend it. */
  family(shape: ClassShape): Class[] {
    return this.all.filter(({ shape: own, line }) => own === shape || line?.includes(shape));
  }
}

function reportMisplaced(report: RuleContext['report'], { module, shape }: Class): void {
  for (const { span, outside } of shape.misplaced)
    report({
      file: module.file,
      span,
      message: outside
        ? `\`${shape.path}\` gets this method from outside of the class, where the build does not see that it serializes.`
        : `This method is on the instances of \`${shape.path}\`, and serialization asks the class for it.`,
      remedy: outside
        ? 'Write it as a static method in the class.'
        : 'Make it static; it is given the instance as its argument.',
    });
}

function reportIncomplete(report: RuleContext['report'], each: Class, classes: Classes): void {
  const { module, shape, line } = each;
  if (!line || line.some(({ open, misplaced }) => open || misplaced.length > 0)) return;
  const serializes = line.some(({ serialize }) => serialize);
  const deserializes = line.some(({ deserialize }) => deserialize);
  if (serializes !== deserializes) {
    // Said once, where the one method is.
    if (!shape.serialize && !shape.deserialize) return;
    if (shape.abstract || classes.family(shape).length > 1) return;
    const [has, lacks] = serializes ? ['serialize', 'deserialize'] : ['deserialize', 'serialize'];
    report({
      file: module.file,
      span: shape.nameSpan,
      message: `\`${shape.path}\` has the static method [${has}] but no [${lacks}], so its instances cannot cross.`,
      remedy: `Add static [${lacks}](…), with the symbol \`${lacks}\` of 'pawl'.`,
    });
  } else if (!serializes) reportNeeds(report, each, classes);
  else if (shape.needs.length > 0 && !shape.deserialize) {
    const maker = line.find(({ deserialize }) => deserialize) as ClassShape;
    if (!maker.fixed || shape.abstract) return;
    report({
      file: module.file,
      span: shape.nameSpan,
      message: `Steps of \`${shape.path}\` get a \`${maker.path}\` as \`this\`: that is what the inherited [deserialize] makes.`,
      remedy: `Give \`${shape.path}\` methods of its own, or let the inherited one return \`new this(…)\`.`,
      related: related(classes, maker, 'whose [deserialize] is inherited'),
    });
  }
}

function reportNeeds(report: RuleContext['report'], { module, shape }: Class, classes: Classes): void {
  if (shape.needs.length === 0) return;
  const family = classes.family(shape);
  const able = family.some(
    ({ shape: { open, serialize, deserialize, misplaced } }) =>
      open || serialize || deserialize || misplaced.length > 0,
  );
  if (able || family.every(({ shape: { abstract } }) => abstract)) return;
  for (const { step, span } of shape.needs)
    report({
      file: module.file,
      span,
      message: `The step \`${step}\` needs its \`this\`, and an instance of \`${shape.path}\` cannot be serialized: the class has neither [serialize] nor [deserialize].`,
      remedy:
        "Give the class both as static methods, with the symbols `serialize` and `deserialize` of 'pawl'; or pass what the step needs as arguments.",
      related: [{ file: module.file, span: shape.nameSpan, message: 'the class' }],
    });
}

/** `new Price()` in a workflow, where `Price` inherits steps that take `this` and the methods too: the build does not know it. */
function reportHeirs(report: RuleContext['report'], program: Program, classes: Classes): void {
  if (!classes.all.some(({ shape }) => shape.needs.length > 0)) return;
  for (const { module, inner } of reachedCode(program, 'workflow').places)
    for (const { use } of inner) {
      if (use.access !== 'new' || (use.kind !== 'local' && use.kind !== 'import')) continue;
      const found = classes.find(module, use, { nameSpan: use.span });
      const line = found && classes.of(found.shape)?.line;
      if (!found || !line || line.some(({ open, misplaced }) => open || misplaced.length > 0)) continue;
      const { shape } = found;
      if (shape.serialize || shape.deserialize || shape.needs.length > 0) continue;
      const able = line.find(({ serialize }) => serialize);
      const [needs] = line.flatMap((each) => each.needs);
      if (!able || !needs || !line.some(({ deserialize }) => deserialize)) continue;
      report({
        file: module.file,
        span: use.span,
        message: `The step \`${needs.step}\` cannot be called on a \`${shape.path}\`: it inherits the serialization methods of \`${able.path}\`, and the build knows a class by its own.`,
        remedy: `Give \`${shape.path}\` static methods [serialize] and [deserialize] of its own.`,
        related: related(classes, shape, 'the class'),
      });
    }
}

function related(classes: Classes, shape: ClassShape, message: string) {
  const module = classes.of(shape)?.module;
  return module ? [{ file: module.file, span: shape.nameSpan, message }] : [];
}
