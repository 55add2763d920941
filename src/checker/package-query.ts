import type { PackageEnd } from '../rules/program.ts';

/** What is known of installed packages. */
export interface PackageSource {
  /** The nearest end that does I/O; null when there is none, or nothing to be known. */
  find(query: PackageQuery): PackageEnd | null;
  /** Whether an export is a workflow of the package's own. */
  isWorkflow(query: Pick<PackageQuery, 'importer' | 'specifier' | 'path'>): boolean;
}

export interface PackageQuery {
  /** Module of the program with the import, as in `ModuleFacts.file`. */
  importer: string;
  specifier: string;
  /** The export and members of it. */
  path: readonly string[];
  access: 'call' | 'new' | 'read';
  /** How many packages to look into, one behind the other. */
  depth: number;
}
