import type { ArtifactLocation, Fix as SarifFix, Location, Log, Region, ReportingDescriptor, Result } from 'sarif';
import { findRule } from '../lookup.ts';
import { fullMessage } from '../create.ts';
import { fingerprints } from '../fingerprint.ts';
import { Positions } from '../positions.ts';
import type { Diagnostic, Fix, Severity, Span } from '../types.ts';
import { type FormatOptions, inRepository, type RuleHelp, safely } from './options.ts';
import { wellFormed } from './text.ts';

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const satisfies Record<Severity, string>;

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json';

/** A log in the Static Analysis Results Interchange Format 2.1.0, which GitHub's code scanning and many editors read. */
export function formatSarif(diagnostics: readonly Diagnostic[], options: FormatOptions): string {
  return `${JSON.stringify(sarifLog(diagnostics, options), null, 2)}\n`;
}

function sarifLog(diagnostics: readonly Diagnostic[], options: FormatOptions): Log {
  const source = safely(options.source);
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  const rules = codes.map((code) => descriptor(code, options.rules ?? []));
  const names = fingerprints(diagnostics, source);
  const positions = new Map<string, Positions | null>();
  const positionsOf = (file: string): Positions | null => {
    let found = positions.get(file);
    if (found === undefined) {
      const text = source(file);
      found = text === null ? null : new Positions(text);
      positions.set(file, found);
    }
    return found;
  };
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'pawl', ...(options.version ? { version: options.version } : {}), rules } },
        columnKind: 'utf16CodeUnits',
        results: diagnostics.map((diagnostic, index): Result => {
          const { code, severity, file, span, related, chain, fix } = diagnostic;
          const places = related.map(
            (place): Location => ({
              ...location(place.file, place.span, options),
              message: { text: wellFormed(place.message) },
            }),
          );
          return {
            ruleId: code,
            ruleIndex: codes.indexOf(code),
            level: LEVELS[severity],
            message: { text: wellFormed(fullMessage(diagnostic)) },
            locations: [location(file, span, options)],
            partialFingerprints: { 'pawl/v1': names[index] as string },
            ...(places.length > 0 ? { relatedLocations: places.map((place, id) => ({ id, ...place })) } : {}),
            ...(chain !== undefined && places.length > 0
              ? { codeFlows: [{ threadFlows: [{ locations: places.map((place) => ({ location: place })) }] }] }
              : {}),
            ...(fix ? { fixes: [sarifFix(fix, artifact(file, options), positionsOf(file))] } : {}),
          };
        }),
      },
    ],
  };
}

function descriptor(code: string, rules: readonly RuleHelp[]): ReportingDescriptor {
  const known = findRule(code);
  if (!known) return { id: code };
  const { name, info } = known;
  const rule = rules.find((each) => each.name === name);
  return {
    id: code,
    name,
    defaultConfiguration: { level: LEVELS[info.severity] },
    ...(rule
      ? {
          shortDescription: { text: `${rule.description}.` },
          help: { text: `${rule.description}. ${rule.url}`, markdown: rule.help },
          helpUri: rule.url,
        }
      : {}),
  };
}

function location(file: string, span: Span, options: FormatOptions): Location {
  return { physicalLocation: { artifactLocation: artifact(file, options), region: region(span) } };
}

function region({ line, column, endLine, endColumn }: Pick<Span, 'line' | 'column' | 'endLine' | 'endColumn'>): Region {
  return { startLine: line, startColumn: column, endLine, endColumn };
}

/** Relative to the root of the repository, whose place the reader knows: a report holds no path of the machine that made it. */
function artifact(file: string, options: FormatOptions): ArtifactLocation {
  const uri = wellFormed(inRepository(file, options)).split('/').map(encodeURIComponent).join('/');
  return { uri, uriBaseId: '%SRCROOT%' };
}

function sarifFix({ title, edits }: Fix, artifactLocation: ArtifactLocation, positions: Positions | null): SarifFix {
  const replacements = edits.map(({ start, end, text }) => ({
    deletedRegion: {
      charOffset: start,
      charLength: end - start,
      ...(positions ? region(positions.span(start, end)) : {}),
    },
    insertedContent: { text: wellFormed(text) },
  }));
  return { description: { text: `${title}.` }, artifactChanges: [{ artifactLocation, replacements }] };
}
