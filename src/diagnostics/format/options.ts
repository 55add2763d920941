/** Text of a file by the name that diagnostics use, null where there is none. */
export type SourceLookup = (file: string) => string | null;

/** What formats that carry documentation say of a rule. */
export interface RuleHelp {
  /** The rule's name, `io-in-workflow`. */
  name: string;
  /** One line without a full stop. */
  description: string;
  /** The rule's page, in Markdown. */
  help: string;
  /** Where the page can be read. */
  url: string;
}

/** What formats are given besides the findings. They are pure: what a format needs to know is here. */
export interface FormatOptions {
  /** Text of a file; no frame where it is null or throws. */
  source: SourceLookup;
  /** Whether to colour; never guessed. */
  color?: boolean;
  /** Whether `pretty` ends in a summary; yes unless told. */
  summary?: boolean;
  /** The catalogue, for formats that carry documentation. */
  rules?: readonly RuleHelp[];
  /** Version of this program, for formats that name it. */
  version?: string;
  /**
   * Folder of the project within the repository, with `/`: reports for a CI system name files by their path in the repository.
   * Empty where the project is all of it.
   */
  folder?: string;
}

/** A source lookup that gives null where the other throws. */
export function safely(source: SourceLookup): SourceLookup {
  return (file) => {
    try {
      return source(file);
    } catch {
      return null;
    }
  };
}

/** The path of a file in the repository. */
export function inRepository(file: string, { folder }: FormatOptions): string {
  if (!folder) return file;
  const path: string[] = [];
  for (const piece of `${folder}/${file}`.split('/')) {
    if (piece === '..' && path.length > 0 && path.at(-1) !== '..') path.pop();
    else if (piece !== '.' && piece !== '') path.push(piece);
  }
  return path.join('/');
}
