import type { Unit } from '../compiler/facts.ts';
import {
  type BoundaryCall,
  clientCalls,
  definitionName,
  durableCalls,
  hookCalls,
  isInstalled,
} from './boundary-calls.ts';
import { refused } from './crossing.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import type { Types, ValueType } from './types.ts';

/**
 * Judges declared types of boundaries, and the values that are passed at them. A declaration is reported for what no value of
 * its type could do without; where a call passes a step for a function, the type of the parameter was meant that way.
 */
export const unserializableBoundary = defineRule({
  name: 'unserializable-boundary',
  by: 'program',
  types: 'needed',
  description:
    'A function, a symbol, a promise or a class instance in an argument or a result that has to be serialized',
  explanation: {
    mistake:
      'A parameter or the result of a step or a workflow, the payload of a hook, or a value that is passed to one of them has a type in which something cannot be serialized. The message names the path to it: `order.customer.save`.',
    why: 'Arguments and results cross as data: they are written to the event log and read again in another process. A function, a symbol, a `WeakMap`, a promise or an instance of a class without the serialization methods is refused there, while the workflow runs.',
    allowed:
      'What structured cloning takes (`Date`, `Map`, `Set`, `RegExp`, typed arrays, cyclic objects), errors, `URL`, `Headers`, `Request`, `Response` and streams; instances of classes with the static methods `[serialize]` and `[deserialize]`; steps, workflows, definitions and requests of webhooks as values. Optional members and unions of which one part can cross, as long as no call passes the other.',
    unseen:
      'Everything in a project without TypeScript. What hides behind `any` and `unknown`. Instances of classes without methods that were not made in sight: a plain object may have their type. Values that code outside of the checked files passes.',
  },
  bad: `interface Customer {
  email: string;
  save(): void;
}

async function charge(order: { id: string; customer: Customer }) {
  'use step';
  return order.id;
}

export async function fulfil(id: string) {
  'use workflow';
  return charge({ id, customer: { email: 'a@b.c', save() {} } });
}
`,
  good: `interface Customer {
  email: string;
}

async function charge(order: { id: string; customer: Customer }) {
  'use step';
  return order.id;
}

export async function fulfil(id: string) {
  'use workflow';
  return charge({ id, customer: { email: 'a@b.c' } });
}
`,
  check(context) {
    const { types } = context;
    if (!types) return;
    const passed = passedValues(context, types);
    const declared = reportSignatures(context, types, passed);
    reportDefinitions(context, types, declared);
    for (const { call, values } of passed) reportArguments(context, call, values, declared);
    reportPayloads(context, types);
  },
});

interface Passed {
  call: BoundaryCall;
  values: ValueType[];
}

/** Parameters that are reported where they are declared, by index. */
type Declared = Map<BoundaryCall['target'], Set<number>>;

function passedValues({ program }: RuleContext, types: Types): Passed[] {
  return [...durableCalls(program), ...clientCalls(program)].flatMap((call) => {
    const values = types.arguments(call.module.file, call.use.span);
    return values ? [{ call, values }] : [];
  });
}

function reportSignatures({ program, report }: RuleContext, types: Types, passed: readonly Passed[]): Declared {
  const declared: Declared = new Map();
  for (const module of program.modules) {
    if (isInstalled(module.file)) continue;
    for (const { kind, name, text, nameSpan, unit } of module.functions) {
      const target = module.units[unit] as Unit;
      const signature = types.signature(module.file, text);
      if (!signature) continue;
      for (const [index, parameter] of signature.parameters.entries()) {
        if (isForSteps(parameter) || takesSteps(passed, target, index)) continue;
        const what = `The parameter \`${parameter.name}\` of ${kind} \`${name}\``;
        const finding = refused(module.file, what, parameter, nameSpan);
        if (!finding) continue;
        report(finding);
        note(declared, target, index);
      }
      const finding = refused(module.file, `The result of ${kind} \`${name}\``, signature.result, nameSpan);
      if (finding) report(finding);
    }
  }
  return declared;
}

/** The parameter itself is an asynchronous function: a step may be meant, and calls tell. */
function isForSteps({ name, refusal }: ValueType): boolean {
  return refusal?.mayBeStep === true && refusal.path === name;
}

function takesSteps(passed: readonly Passed[], target: Unit, index: number): boolean {
  return passed.some(({ call, values }) => call.target === target && values[index]?.references);
}

function note(declared: Declared, target: BoundaryCall['target'], index: number): void {
  const indexes = declared.get(target) ?? new Set();
  declared.set(target, indexes.add(index));
}

function reportDefinitions({ program, report }: RuleContext, types: Types, declared: Declared): void {
  for (const module of program.modules) {
    for (const definition of module.definitions) {
      const { kind, span, nameSpan } = definition;
      if ((kind !== 'action' && kind !== 'workflow') || isInstalled(module.file)) continue;
      const found = types.definition(module.file, span);
      const owner = `${kind} \`${definitionName(definition)}\``;
      const input = found?.input && refused(module.file, `The input of ${owner}`, found.input, nameSpan);
      if (input) {
        report(input);
        note(declared, definition, 0);
      }
      const output = found?.output && refused(module.file, `The output of ${owner}`, found.output, nameSpan);
      if (output) report(output);
    }
  }
}

function reportArguments(
  { report }: RuleContext,
  { module, use, callee, target, only, root }: BoundaryCall,
  values: readonly ValueType[],
  declared: Declared,
): void {
  for (const [index, value] of values.entries()) {
    if ((only !== null && only !== index) || declared.get(target)?.has(index)) continue;
    const named = root !== undefined && value.name === `args[${index}]` ? renamed(value, root) : value;
    const finding = refused(module.file, `What is passed to ${callee}`, named, use.span);
    if (finding) report(finding);
  }
}

/** With another root of its paths. */
function renamed(value: ValueType, name: string): ValueType {
  const refusal = value.refusal && { ...value.refusal, path: name + value.refusal.path.slice(value.name.length) };
  return { ...value, name, refusal };
}

function reportPayloads({ program, report }: RuleContext, types: Types): void {
  for (const { module, use, callee } of hookCalls(program)) {
    const [payload] = types.typeArguments(module.file, use.span) ?? [];
    const finding = payload && refused(module.file, `The payload of ${callee}`, payload, use.span);
    if (finding) report(finding);
  }
}
