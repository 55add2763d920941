import { z } from 'zod';
import { CODES } from '../diagnostics/codes.ts';
import { docsUrl, RULES, type Rule } from '../rules/index.ts';
import { configSchema } from './schema.ts';

/**
 * The JSON schema of `pawl.config.json`: what editors complete and underline. It is made from the schema that configurations are
 * read with and from the rules, and written to `docs/pawl.config.schema.json` by `npm run docs`.
 */

const DESCRIPTIONS: Record<Exclude<keyof typeof configSchema.shape, 'providers'>, string> = {
  $schema: 'Where editors find this schema.',
  entries:
    'Globs of the files that steps and workflows are looked for in, relative to the root. Default: all of `src/` but tests; of a project without `src/`, all of it but tests and what builds put out (`dist`, `build`, `out`, `coverage`).',
  outDir: 'Where `pawl build` writes and `pawl run` reads, relative to the root. Default: `.pawl`.',
  store: 'URL of the store; a relative path is relative to the root. Default: `sqlite:.pawl/pawl.db`.',
  compat: 'SDKs whose programs build unchanged: their import names lead to pawl.',
  credentials: 'Where values of credentials come from, besides their definitions and the environment.',
  rules: 'Severity of rules by name or code, or `[severity, options]`.',
  overrides: 'Other settings of rules for some files. The last override that matches a file and names a rule counts.',
  integrations: "Globs of import specifiers that give an integration's actions.",
};

/** Names in `definitions`, and descriptions. Of its own, so that no other schema is touched. */
const notes = z.registry<{ id?: string; description?: string }>();

const severity = z.enum(['off', 'info', 'warn', 'warning', 'error']).register(notes, { id: 'severity' });
const setting = z.union([severity, z.tuple([severity])]).register(notes, { id: 'setting' });
/** What cannot be compiled stays an error. */
const fixedSetting = z.union([z.literal('error'), z.tuple([z.literal('error')])]).register(notes, { id: 'fixed' });

/** The schema with what the checker judges besides: names of rules, severities, options. */
export function strictConfigSchema(rules: readonly Rule[] = RULES): z.ZodObject {
  const settings = z.strictObject(
    Object.fromEntries(rules.flatMap((rule) => [rule.name, CODES[rule.name].code].map((key) => [key, entryOf(rule)]))),
  );
  notes.add(settings, { id: 'rules' });
  const override = configSchema.shape.overrides.unwrap().element.extend({ rules: settings });
  // Functions have no form in JSON: providers of models, resolvers of credentials.
  const credentials = configSchema.shape.credentials.unwrap().omit({ resolve: true }).optional();
  const overrides = z.array(override).optional();
  const schema = configSchema.omit({ providers: true }).extend({ credentials, rules: settings.optional(), overrides });
  for (const [key, option] of Object.entries(schema.shape)) {
    notes.add(option, { description: DESCRIPTIONS[key as keyof typeof DESCRIPTIONS] });
  }
  return schema;
}

function entryOf({ name, description, options }: Rule): z.ZodType {
  const { code, suppressible } = CODES[name];
  const plain = suppressible ? setting : fixedSetting;
  const level = suppressible ? severity : z.literal('error');
  const entry = options ? z.union([plain, z.tuple([level, options])]) : plain;
  return entry.optional().register(notes, { description: `${code}: ${description}. ${docsUrl(name)}` });
}

/** The text of `docs/pawl.config.schema.json`. */
export function configJsonSchema(rules: readonly Rule[] = RULES): string {
  const schema = z.toJSONSchema(strictConfigSchema(rules), { target: 'draft-7', io: 'input', metadata: notes });
  return `${JSON.stringify({ ...schema, title: 'pawl.config' }, null, 2)}\n`;
}
