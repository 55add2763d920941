/**
 * `pawl/eslint`: the rules of `pawl check` in ESLint 9 and 10, and in the JS plugins of oxlint.
 *
 * Every rule of the catalogue is a rule here, by its name. All of them share one check of the whole program, which sees a file as the
 * linter hands it over, saved or not.
 *
 * @example
 * // eslint.config.js
 * import pawl from 'pawl/eslint';
 * export default [pawl.configs.recommended];
 *
 * @example
 * // .oxlintrc.json
 * { "jsPlugins": ["pawl/eslint"], "rules": { "pawl/io-in-workflow": "error" } }
 */
import { LINT_RULES, type LintFinding, type LintLevel, LintProjects, type LintRule, VERSION } from 'pawl/linter';

/** `settings.pawl` of a configuration. */
export interface PawlSettings {
  /** Folder of the project; found by its `pawl.config` or `package.json` unless given. */
  root?: string;
  /** Whether TypeScript is asked for types, where it is installed. Default: true. */
  types?: boolean;
}

interface TextFix {
  range: [number, number];
  text: string;
}

interface Fixer {
  replaceTextRange(range: [number, number], text: string): TextFix;
}

interface Position {
  line: number;
  /** From 0. */
  column: number;
}

/** The part of ESLint's rule context that is used; ESLint 9, ESLint 10 and oxlint have it alike. */
interface RuleContext {
  filename: string;
  physicalFilename: string;
  cwd: string;
  options: readonly unknown[];
  settings: Record<string, unknown>;
  /** With a `text`, unless it is one of bytes. */
  sourceCode: object;
  report(descriptor: {
    loc: { start: Position; end: Position };
    message: string;
    fix?: (fixer: Fixer) => TextFix[];
  }): void;
}

interface RuleModule {
  meta: {
    type: 'problem';
    docs: { description: string; url: string; recommended: boolean };
    fixable?: 'code';
    schema: object[];
  };
  create(context: RuleContext): { Program(): void };
}

interface FlatConfig {
  name: string;
  plugins: Record<string, PawlPlugin>;
  rules: Record<string, LintLevel>;
}

export interface PawlPlugin {
  meta: { name: string; version: string; namespace: string };
  rules: Record<string, RuleModule>;
  configs: { recommended: FlatConfig; strict: FlatConfig };
}

const projects = new LintProjects();

function ruleModule({ name, description, url, isFixable, options: schema, levels }: LintRule): RuleModule {
  return {
    meta: {
      type: 'problem',
      docs: { description, url, recommended: levels.recommended !== 'off' },
      ...(isFixable ? { fixable: 'code' as const } : {}),
      schema: schema ? [schema] : [],
    },
    create: (context) => ({
      Program() {
        const { filename: path, physicalFilename, cwd, settings, options: own } = context;
        const { text } = context.sourceCode as { text?: string };
        // A block of code within another file, such as Markdown, is no module of the program.
        if (path !== physicalFilename || text === undefined) return;
        const { root, types } = (settings.pawl ?? {}) as PawlSettings;
        const [options] = own as [Record<string, unknown> | undefined];
        for (const finding of projects.find({ path, text, cwd, rule: name, options, root, types })) {
          context.report(descriptor(finding));
        }
      },
    }),
  };
}

function descriptor({ message, span, edits }: LintFinding): Parameters<RuleContext['report']>[0] {
  const loc = {
    start: { line: span.line, column: span.column - 1 },
    end: { line: span.endLine, column: span.endColumn - 1 },
  };
  if (edits.length === 0) return { loc, message };
  return {
    loc,
    message,
    fix: (fixer) => edits.map(({ start, end, text }) => fixer.replaceTextRange([start, end], text)),
  };
}

function flatConfig(preset: 'recommended' | 'strict', plugin: PawlPlugin): FlatConfig {
  const rules = LINT_RULES.filter(({ levels }) => levels[preset] !== 'off');
  return {
    name: `pawl/${preset}`,
    plugins: { pawl: plugin },
    rules: Object.fromEntries(rules.map(({ name, levels }) => [`pawl/${name}`, levels[preset]])),
  };
}

const plugin: PawlPlugin = {
  meta: { name: 'pawl', version: VERSION, namespace: 'pawl' },
  rules: Object.fromEntries(LINT_RULES.map((rule) => [rule.name, ruleModule(rule)])),
  configs: {
    get recommended() {
      return flatConfig('recommended', plugin);
    },
    get strict() {
      return flatConfig('strict', plugin);
    },
  },
};

export default plugin;
