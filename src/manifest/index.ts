/** `pawl/manifest`: the versioned contract between build and run, its schema, its types, and how it is read and written. */
export {
  COMPILED_API,
  type CompiledApiName,
  VIRTUAL_GLOBALS,
  type VirtualGlobal,
  WORKFLOW_API,
  type WorkflowApiName,
  wrapWorkflowBundle,
} from './bundle-format.ts';
export { canonicalJson, compareText, hashText } from './canonical.ts';
export { compareManifests, type ManifestDifference } from './compare.ts';
export { type LoadedBundles, type LoadedManifest, parseManifest, readBundles, readManifest } from './read.ts';
export {
  type JsonSchema,
  MANIFEST_VERSION,
  type Manifest,
  type ManifestAgent,
  type ManifestBundle,
  type ManifestClass,
  type ManifestCredential,
  type ManifestSpan,
  type ManifestStep,
  type ManifestStepOptions,
  type ManifestWorkflow,
  manifestSchema,
} from './schema.ts';
export {
  createManifest,
  MANIFEST_FILE,
  type ManifestContents,
  PACKAGE_FILE,
  PACKAGE_TEXT,
  STEPS_FILE,
  serializeManifest,
  WORKFLOWS_FILE,
  writeFilesAtomically,
} from './write.ts';
