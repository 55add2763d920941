import { Positions } from '../../diagnostics/positions.ts';
import type { RelatedPlace, Span } from '../../diagnostics/types.ts';
import type { DefinitionTypes, Range, Refusal, SignatureTypes, Types, ValueType } from '../../rules/types.ts';
import { toRelative } from '../disk-resolve.ts';
import { findAny } from './any.ts';
import { Crossing, type Found, type Judgement } from './crossing.ts';
import type { Declaration, SourceNode, SymbolRef, SyntaxNode, TypeModel, TypeRef } from './model.ts';
import { isPlatformFile } from './platform.ts';
import { callAt, functionAt, nodeAt, optionOf, returned, unwrap } from './syntax.ts';

/** A class whose instances serialize, by the range of its name. */
export interface SerializableClass extends Range {
  file: string;
}

export interface QuestionContext {
  /** Absolute, with `/`. */
  root: string;
  /** The model of the program that a file (absolute) belongs to. */
  modelOf(file: string): TypeModel | null;
  serializable: readonly SerializableClass[];
}

interface Program {
  model: TypeModel;
  crossing: Crossing;
}

/** Answers the questions of rules out of a model. */
export class Questions implements Types {
  readonly #context: QuestionContext;
  readonly #programs = new Map<TypeModel, Program>();
  readonly #positions = new WeakMap<SourceNode, Positions>();

  constructor(context: QuestionContext) {
    this.#context = context;
  }

  signature(file: string, text: Range): SignatureTypes | null {
    const place = this.#place(file);
    const fn = place && functionAt(place.model.SyntaxKind, place.source, text);
    const signature = fn && place.model.signatureOf(fn);
    if (!signature) return null;
    const { model } = place;
    const parameters = (fn.parameters ?? [])
      .filter(({ name }) => name?.text !== 'this')
      .map((parameter, index) => this.#parameter(place, parameter, index));
    const type = model.returnOf(signature);
    const awaited = type && model.awaited(type);
    const judgement = awaited && place.crossing.type(awaited, returned(model.SyntaxKind, fn));
    const result = this.#value(place, 'result', fn.type ?? null, awaited, judgement);
    return { parameters, result };
  }

  /** What may be left out is judged where something is passed. */
  #parameter(place: Place, parameter: SyntaxNode, index: number): ValueType {
    const { model, crossing } = place;
    const { name = parameter, questionToken, initializer } = parameter;
    const label = name.kind === model.SyntaxKind.Identifier ? (name.text ?? '') : `args[${index}]`;
    const type = model.typeAt(parameter);
    const judgement = type && !questionToken && !initializer ? crossing.type(type) : undefined;
    return this.#value(place, label, name, type, judgement);
  }

  definition(file: string, call: Range): DefinitionTypes | null {
    const place = this.#place(file);
    const node = place && nodeAt(place.source, call);
    if (!node || node.kind !== place.model.SyntaxKind.CallExpression) return null;
    const { model } = place;
    const type = model.typeAt(node);
    const run = type && model.property(type, 'run');
    const runType = run && model.typeOf(run);
    const [signature] = runType ? model.calls(runType) : [];
    if (!signature) return null;
    const [options] = node.arguments ?? [];
    const literal = options && unwrap(model.SyntaxKind, options);
    const given = model.parametersOf(signature)[0];
    const input = given && model.typeOf(given);
    const result = model.returnOf(signature);
    const output = result && model.awaited(result);
    const judged = (name: string, of: TypeRef | undefined): ValueType | null =>
      of ? this.#value(place, name, optionOf(literal, name) ?? node, of, place.crossing.type(of)) : null;
    return { input: judged('input', input), output: judged('output', output) };
  }

  arguments(file: string, callee: Range): ValueType[] | null {
    const place = this.#place(file);
    const call = place && callAt(place.model.SyntaxKind, place.source, callee);
    if (!call) return null;
    const { model, crossing } = place;
    return (call.arguments ?? []).map((argument, index) => {
      const label = nameOf(place.source, argument) ?? `args[${index}]`;
      if (argument.kind === model.SyntaxKind.SpreadElement) return this.#value(place, label, argument);
      return this.#value(place, label, argument, model.typeAt(argument), crossing.expression(argument));
    });
  }

  typeArguments(file: string, callee: Range): ValueType[] | null {
    const place = this.#place(file);
    const call = place && callAt(place.model.SyntaxKind, place.source, callee);
    if (!call) return null;
    return (call.typeArguments ?? []).map((node) => {
      const type = place.model.typeOfTypeNode(node);
      return this.#value(place, 'payload', node, type, type && place.crossing.type(type));
    });
  }

  variable(file: string, name: Range): ValueType | null {
    const place = this.#place(file);
    const node = place && nodeAt(place.source, name);
    if (!node || node.kind !== place.model.SyntaxKind.Identifier) return null;
    return this.#value(place, node.text ?? '', node, place.model.typeAt(node), place.crossing.expression(node));
  }

  #place(file: string): Place | null {
    const path = /^(?:\/|[A-Za-z]:)/.test(file) ? file : `${this.#context.root}/${file}`;
    const model = this.#context.modelOf(path);
    const source = model?.sourceFile(path);
    return model && source ? { ...this.#program(model), source } : null;
  }

  #program(model: TypeModel): Program {
    let program = this.#programs.get(model);
    if (!program) {
      let known: TypeRef[] | null = null;
      program = { model, crossing: new Crossing(model, () => (known ??= this.#serializableIn(model))) };
      this.#programs.set(model, program);
    }
    return program;
  }

  #serializableIn(model: TypeModel): TypeRef[] {
    return this.#context.serializable.flatMap(({ file, ...range }) => {
      const source = model.sourceFile(`${this.#context.root}/${file}`);
      const node = source && nodeAt(source, range);
      const type = node && model.typeAt(node);
      return type ? [type] : [];
    });
  }

  #value(
    place: Place,
    name: string,
    at: SyntaxNode | null,
    type?: TypeRef,
    judgement: Judgement = { found: null, references: false },
  ): ValueType {
    const { model } = place;
    const { found, references } = judgement;
    let any: string | null | undefined;
    return {
      name,
      span: at && this.#span(at),
      refusal: found && this.#refusal(place, name, at, found),
      references,
      get any() {
        if (any === undefined) {
          const path = type ? findAny(model, type) : null;
          any = path === null ? null : name + path;
        }
        return any;
      },
    };
  }

  #refusal({ model, source }: Place, name: string, at: SyntaxNode | null, found: Found): Refusal {
    const related: RelatedPlace[] = [];
    let span: Span | null = null;
    const declared = found.member && nameNode(model, found.member);
    if (
      declared &&
      at &&
      declared.getSourceFile() === source &&
      at.getStart() <= declared.getStart() &&
      declared.end <= at.end
    )
      span = this.#span(declared);
    else if (declared)
      related.push(this.#related(declared, `\`${String(found.member?.escapedName)}\` is declared here`));
    const owner = found.owner && nameNode(model, found.owner);
    if (owner) related.push(this.#related(owner, `the class \`${String(found.owner?.escapedName)}\``));
    const { kind, mayBeStep, path } = found;
    return { kind, path: name + path, type: model.text(found.type), mayBeStep, span, related };
  }

  #related(node: SyntaxNode, message: string): RelatedPlace {
    return { file: toRelative(this.#context.root, node.getSourceFile().fileName), span: this.#span(node), message };
  }

  #span(node: SyntaxNode): Span {
    const source = node.getSourceFile();
    const mark = source.text.charCodeAt(0) === 0xfeff ? 1 : 0;
    let positions = this.#positions.get(source);
    if (!positions) {
      positions = new Positions(mark === 0 ? source.text : source.text.slice(1));
      this.#positions.set(source, positions);
    }
    return positions.span(node.getStart() - mark, node.end - mark);
  }
}

interface Place extends Program {
  source: SourceNode;
}

/** The name in a declaration of the program; what the platform declares is no news. */
function nameNode(model: TypeModel, symbol: SymbolRef): SyntaxNode | null {
  const declaration: Declaration | undefined = model.valueDeclaration(symbol) ?? model.declarations(symbol)[0];
  if (!declaration || isPlatformFile(declaration.file)) return null;
  const node = declaration.node();
  return node?.name ?? null;
}

/** An argument that is a name or a path of names is called what it is. */
function nameOf(source: SourceNode, node: SyntaxNode): string | null {
  const text = source.text.slice(node.getStart(), node.end);
  return text.length <= 60 &&
    /^[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*$/u.test(text)
    ? text
    : null;
}
