import { z } from 'zod';

/**
 * Glossary of the manifest: the whole contract between build and run.
 *
 * - **id**: the name under which a step, workflow or class is registered and called: `src/orders.ts#charge`, or a slug.
 * - **slug**: the id that a definition (`defineAction`, `defineWorkflow`, `defineAgent`) states itself.
 * - **hash**: `sha256-` and 64 hex digits. Of a bundle: of its text. Of a function: of its source text with `\n` line ends.
 * - **integrity**: the hash of the manifest's canonical JSON without this field.
 */

/** Version of the manifest's format. A reader refuses every other one. */
export const MANIFEST_VERSION = 1;

export const hashSchema = z.string().regex(/^sha256-[0-9a-f]{64}$/, 'expected sha256- and 64 hex digits');

/** Lines and columns count from 1; `endColumn` is exclusive. */
export const spanSchema = z.strictObject({
  line: z.int().min(1),
  column: z.int().min(1),
  endLine: z.int().min(1),
  endColumn: z.int().min(1),
});

const jsonSchemaSchema = z.union([z.record(z.string(), z.unknown()), z.boolean()]);

/** A relative path with `/`; modules of a workspace package may lie above the root. */
const fileSchema = z
  .string()
  .min(1)
  .refine((file) => !/^(?:[/\\]|[a-z]:[/\\])/i.test(file), 'expected a relative path');

const place = { name: z.string(), file: fileSchema, span: spanSchema };
const description = z.string().optional();

/** Milliseconds, or a duration such as `30s`. */
const durationSchema = z.union([z.number().min(0), z.string().min(1)]);

export const stepOptionsSchema = z.strictObject({
  maxRetries: z.int().min(0).optional(),
  timeout: durationSchema.optional(),
  heartbeatTimeout: durationSchema.optional(),
  retryAfter: durationSchema.optional(),
  concurrency: z.int().min(1).optional(),
});

export const workflowSchema = z.strictObject({
  style: z.enum(['directive', 'definition']),
  ...place,
  description,
  hash: hashSchema,
  /** Ids of the steps that it may call, through helpers too; sorted. */
  steps: z.array(z.string()),
  /** Ids of the workflows that it may call; sorted, left out where there are none. */
  workflows: z.array(z.string()).optional(),
  /** JSON Schemas (draft 2020-12) of input and output. */
  input: jsonSchemaSchema.optional(),
  output: jsonSchemaSchema.optional(),
});

/** Names, never values. */
export const credentialSchema = z.strictObject({
  key: z.string(),
  fields: z.array(z.string()),
  kind: z.enum(['fields', 'oauth']),
  /** The environment variables that may have the secrets, by name. */
  variables: z.record(z.string(), z.string()),
  /** Whether the definition has a `resolve`, which is asked before the environment; left out where it has none. */
  resolved: z.literal(true).optional(),
});

export const stepSchema = z.strictObject({
  style: z.enum(['directive', 'action', 'agent']),
  ...place,
  description,
  hash: hashSchema,
  options: stepOptionsSchema,
  /** Names of the captured variables, in the order in which they are passed. */
  captures: z.array(z.string()),
  /** Whether `this` is passed along with the arguments. */
  usesThis: z.boolean(),
  /** Parameter count as written. */
  parameters: z.int().min(0).optional(),
  /** Of an action; left out where there are none. */
  credentials: z.array(credentialSchema).optional(),
  input: jsonSchemaSchema.optional(),
  output: jsonSchemaSchema.optional(),
});

export const agentSchema = z.strictObject({ ...place, description });
export const classSchema = z.strictObject({ ...place });
/** `file` is relative to the manifest's directory. */
export const bundleSchema = z.strictObject({
  file: fileSchema,
  hash: hashSchema,
  /** Hash of the source map, which stands beside the bundle as `file.map`; it may be left out where a program runs. */
  map: hashSchema.optional(),
});
export const stepBundleSchema = bundleSchema.extend({
  /** Files that import each other in a circle, first and last the same: what errors while the bundle is loaded are explained by. */
  cycles: z.array(z.array(fileSchema)).optional(),
});

const byId = <T extends z.ZodType>(schema: T) => z.record(z.string().min(1), schema);

export const manifestSchema = z.strictObject({
  version: z.literal(MANIFEST_VERSION),
  /** Version of pawl that wrote it. */
  pawl: z.string(),
  integrity: hashSchema,
  bundles: z.strictObject({ workflows: bundleSchema, steps: stepBundleSchema }),
  workflows: byId(workflowSchema),
  steps: byId(stepSchema),
  agents: byId(agentSchema),
  classes: byId(classSchema),
});

export type ManifestSpan = z.infer<typeof spanSchema>;
export type ManifestWorkflow = z.infer<typeof workflowSchema>;
export type ManifestStep = z.infer<typeof stepSchema>;
export type ManifestStepOptions = z.infer<typeof stepOptionsSchema>;
export type ManifestAgent = z.infer<typeof agentSchema>;
export type ManifestCredential = z.infer<typeof credentialSchema>;
export type ManifestClass = z.infer<typeof classSchema>;
export type ManifestBundle = z.infer<typeof bundleSchema>;
export type Manifest = z.infer<typeof manifestSchema>;
/** A JSON Schema as it stands in the manifest. */
export type JsonSchema = z.infer<typeof jsonSchemaSchema>;
